/** The relay by its rules and nothing else: sets and sums, no speed. */
import { assert } from "@std/assert";

/** The bounds of a {@linkcode RelayModel}. */
export interface UnderWayLimits {
  readonly maxUnderWay: number;
  readonly maxUnderWayPerPeer: number;
}

/** Who waits for what, who may settle it, and what each event makes of that. */
export class RelayModel<Peer> {
  /** For each text under way its origin, once for each sending. */
  readonly sendings = new Map<string, readonly Peer[]>();
  /** For each text under way those it was given to that are still there. */
  readonly holders = new Map<string, Set<Peer>>();
  /** Messages that were one too many. */
  limited = 0;
  /** Texts whose last origin went. */
  dropped = 0;
  readonly #limits: UnderWayLimits;

  constructor(limits: UnderWayLimits) {
    this.#limits = limits;
  }

  get underWay(): number {
    return [...this.sendings.values()].flat().length;
  }

  /** A peer sends a text: which limit keeps it out, or `undefined` where none does. */
  message(origin: Peer, text: string): string | undefined {
    const { maxUnderWay, maxUnderWayPerPeer } = this.#limits;
    const own = [...this.sendings.values()].flat().filter((peer) => peer === origin).length;
    let limit: string | undefined;
    if (this.underWay === maxUnderWay) limit = `${maxUnderWay} in all`;
    else if (own === maxUnderWayPerPeer) limit = `${maxUnderWayPerPeer} of this connection`;
    else this.sendings.set(text, [...this.sendings.get(text) ?? [], origin]);
    if (limit === undefined) return undefined;
    this.limited++;
    return `too many messages under way: ${limit}`;
  }

  delivered(holder: Peer, text: string): void {
    assert(this.sendings.has(text), `${text} was delivered after it was settled`);
    this.holders.set(text, (this.holders.get(text) ?? new Set()).add(holder));
  }

  /** A peer answers a text: who must get that ok. */
  ok(holder: Peer, text: string): Set<Peer> {
    if (!this.holders.get(text)?.has(holder)) return new Set();
    const origins = new Set(this.sendings.get(text));
    this.#forget(text);
    return origins;
  }

  leave(peer: Peer): void {
    for (const holders of this.holders.values()) holders.delete(peer);
    for (const [text, origins] of this.sendings) {
      const left = origins.filter((origin) => origin !== peer);
      this.sendings.set(text, left);
      if (left.length > 0) continue;
      this.#forget(text);
      this.dropped++;
    }
  }

  #forget(text: string): void {
    this.sendings.delete(text);
    this.holders.delete(text);
  }
}

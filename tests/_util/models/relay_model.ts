/** A simple, slow model of the relay, with sets and sums. */
import { assert } from "@std/assert";
import type { MessageLimit } from "../../../relay/router/router.ts";

/** The limits of a {@linkcode RelayModel}. */
export interface UnderWayLimits {
  readonly maxInFlight: number;
  readonly maxInFlightPerPeer: number;
}

/** A model of the router: the origins and holders of each message, and the effect of each event. */
export class RelayModel<Peer> {
  /** The origins of each text in flight, once per send. */
  readonly originsOf = new Map<string, readonly Peer[]>();
  /** The connected holders of each text in flight. */
  readonly holders = new Map<string, Set<Peer>>();
  /** Refused messages by limit. */
  readonly limitedBy = { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 0 };
  /** Texts whose last origin went. */
  dropped = 0;
  readonly #limits: UnderWayLimits;

  constructor(limits: UnderWayLimits) {
    this.#limits = limits;
  }

  get underWay(): number {
    return [...this.originsOf.values()].flat().length;
  }

  /** A peer sends a text: which limit keeps it out, or `undefined` where none does. */
  message(origin: Peer, text: string): { limit: MessageLimit; reason: string } | undefined {
    const { maxInFlight, maxInFlightPerPeer } = this.#limits;
    const own = [...this.originsOf.values()].flat().filter((peer) => peer === origin).length;
    const tooMany = (limit: MessageLimit, which: string) => {
      this.limitedBy[limit]++;
      return { limit, reason: `too many messages in flight${which}` };
    };
    if (this.underWay === maxInFlight) return tooMany("max-under-way", ` (limit ${maxInFlight})`);
    if (own === maxInFlightPerPeer) {
      return tooMany("max-under-way-per-peer", ` on this connection (limit ${maxInFlightPerPeer})`);
    }
    this.originsOf.set(text, [...this.originsOf.get(text) ?? [], origin]);
    return undefined;
  }

  delivered(holder: Peer, text: string): void {
    assert(this.originsOf.has(text), `${text} was delivered after it was settled`);
    this.holders.set(text, (this.holders.get(text) ?? new Set()).add(holder));
  }

  /** A peer answers a text: who must get that ok. */
  ok(holder: Peer, text: string): Set<Peer> {
    if (!this.holders.get(text)?.has(holder)) return new Set();
    const origins = new Set(this.originsOf.get(text));
    this.#forget(text);
    return origins;
  }

  leave(peer: Peer): void {
    for (const holders of this.holders.values()) holders.delete(peer);
    for (const [text, origins] of this.originsOf) {
      const left = origins.filter((origin) => origin !== peer);
      this.originsOf.set(text, left);
      if (left.length > 0) continue;
      this.#forget(text);
      this.dropped++;
    }
  }

  #forget(text: string): void {
    this.originsOf.delete(text);
    this.holders.delete(text);
  }
}

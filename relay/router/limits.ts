/** Whether one more message is taken: how many are under way, and how many may be. Pure. @module */
import type { LineVerdict, MessageLimit, RouterOptions } from "./types.ts";

/** Counts the sendings under way, and those that are one too many. */
export class InFlightLimit {
  readonly #limits: Required<Pick<RouterOptions, "maxUnderWay" | "maxUnderWayPerPeer">>;
  readonly #limitedBy = { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 0 };
  /** Sendings whose origin is there. */
  #count = 0;
  /** Why no message is taken any more. */
  #closedFor: string | undefined;

  constructor(
    { maxUnderWay = 0, maxUnderWayPerPeer = 0 }: Pick<RouterOptions, "maxUnderWay" | "maxUnderWayPerPeer">,
  ) {
    this.#limits = { maxUnderWay, maxUnderWayPerPeer };
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
  }

  /** From now on no sending is taken, for this reason. */
  close(why: string): void {
    this.#closedFor = why;
  }

  /** Whether no message is taken anymore. */
  get closed(): boolean {
    return this.#closedFor !== undefined;
  }

  /**
   * Why one more sending is not taken, or `undefined` where it is; a refusal is counted.
   *
   * @param own How many its sender has under way.
   */
  refusal(own: number): LineVerdict | undefined {
    if (this.#closedFor !== undefined) return this.#refuse("draining", this.#closedFor);
    const { maxUnderWay, maxUnderWayPerPeer } = this.#limits;
    if (maxUnderWay > 0 && this.#count >= maxUnderWay) {
      return this.#refuse("max-under-way", `too many messages under way: ${maxUnderWay} in all`);
    }
    if (maxUnderWayPerPeer > 0 && own >= maxUnderWayPerPeer) {
      const reason = `too many messages under way: ${maxUnderWayPerPeer} of this connection`;
      return this.#refuse("max-under-way-per-peer", reason);
    }
    return undefined;
  }

  /** How many were refused. */
  counts(): { readonly limited: number; readonly limitedBy: Readonly<Record<MessageLimit, number>> } {
    const limitedBy = { ...this.#limitedBy };
    return { limited: Object.values(limitedBy).reduce((sum, count) => sum + count), limitedBy };
  }

  #refuse(limit: MessageLimit, reason: string): LineVerdict {
    this.#limitedBy[limit]++;
    return { kind: "limited", limit, reason };
  }
}

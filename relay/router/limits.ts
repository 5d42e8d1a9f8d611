/** Limits of the messages in flight. Pure. @module */
import type { RouterOptions } from "./types.ts";
import type { LineVerdict, MessageLimit } from "./verdict.ts";

/** Counts the messages in flight, and refuses those over a limit. */
export class InFlightLimit {
  #limits: Required<Pick<RouterOptions, "maxInFlight" | "maxInFlightPerPeer">>;
  readonly #limitedBy = { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 0 };
  #count = 0;
  /** The reason why no message is taken anymore. */
  #closedFor: string | undefined;

  constructor(
    { maxInFlight = 0, maxInFlightPerPeer = 0 }: Pick<RouterOptions, "maxInFlight" | "maxInFlightPerPeer">,
  ) {
    this.#limits = { maxInFlight, maxInFlightPerPeer };
  }

  /** Changes the limits; those that are left out stay. Messages over a lower one stay in flight. */
  setLimits(limits: Pick<RouterOptions, "maxInFlight" | "maxInFlightPerPeer">): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  /** Counts a message. */
  begin(): void {
    this.#count++;
  }

  /** Counts the end of a message. */
  end(): void {
    this.#count--;
  }

  /** Refuses every message from now on. */
  close(reason: string): void {
    this.#closedFor = reason;
  }

  /** Whether no message is taken anymore. */
  get closed(): boolean {
    return this.#closedFor !== undefined;
  }

  /**
   * Checks whether one more message is allowed.
   *
   * @param own Messages in flight of its sender.
   * @returns The verdict on a message over a limit, which is counted, or `undefined`.
   */
  refusal(own: number): LineVerdict | undefined {
    if (this.#closedFor !== undefined) return this.#refuse("draining", this.#closedFor);
    const { maxInFlight, maxInFlightPerPeer } = this.#limits;
    if (maxInFlight > 0 && this.#count >= maxInFlight) {
      return this.#refuse("max-under-way", `too many messages in flight (limit ${maxInFlight})`);
    }
    if (maxInFlightPerPeer > 0 && own >= maxInFlightPerPeer) {
      const reason = `too many messages in flight on this connection (limit ${maxInFlightPerPeer})`;
      return this.#refuse("max-under-way-per-peer", reason);
    }
    return undefined;
  }

  /** Returns the number of refused messages. */
  counts(): { readonly limited: number; readonly limitedBy: Readonly<Record<MessageLimit, number>> } {
    const limitedBy = { ...this.#limitedBy };
    return { limited: Object.values(limitedBy).reduce((sum, count) => sum + count), limitedBy };
  }

  #refuse(limit: MessageLimit, reason: string): LineVerdict {
    this.#limitedBy[limit]++;
    return { kind: "limited", limit, reason };
  }
}

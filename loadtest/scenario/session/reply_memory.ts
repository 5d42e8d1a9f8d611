/** The replies of one session that arrived or timed out, to recognize what arrives again or late. Pure. @module */
import { equal } from "../expectation.ts";
import type { CorrelationKey } from "./batch.ts";
import { type Ask, belongs } from "./pending_asks.ts";

/** Number of ids of settled requests to keep, to recognize a second reply. */
const SETTLED_KEPT = 1024;
/** Number of timed-out requests to keep, to recognize a late reply. */
const EXPIRED_KEPT = 16;

/** Remembers replies. */
export class ReplyMemory<Frame> {
  readonly #settled: Map<CorrelationKey, true> | undefined;
  #expired: Ask<Frame>[] | undefined;
  #last: Frame | undefined;

  /** @param options.keyed Whether every request has a key */
  constructor({ keyed }: { readonly keyed: boolean }) {
    this.#settled = keyed ? new Map() : undefined;
  }

  /** Remembers that the request with this id got a reply, right or wrong. */
  settled(key: CorrelationKey | undefined): void {
    if (this.#settled === undefined || key === undefined) return;
    this.#settled.set(key, true);
    if (this.#settled.size > SETTLED_KEPT) this.#settled.delete(this.#settled.keys().next().value!);
  }

  /** Remembers the expected reply that arrived last. */
  answered(reply: Frame): void {
    this.#last = reply;
  }

  /** Remembers a request that timed out. */
  expired(ask: Ask<Frame>): void {
    (this.#expired ??= []).push(ask);
    if (this.#expired.length > EXPIRED_KEPT) this.#expired.shift();
  }

  /** Whether a frame is a reply that arrived before: one with a settled key, or equal to the last one. */
  isRepeated(frame: Frame, key?: CorrelationKey): boolean {
    if (key !== undefined) return this.#settled?.has(key) === true;
    return this.#last !== undefined && equal(this.#last, frame);
  }

  /** Returns the request that timed out before this reply arrived. */
  lateFor(frame: Frame, key?: CorrelationKey): Ask<Frame> | undefined {
    return this.#expired?.find((ask) => key === undefined ? belongs(ask, frame) : ask.key === key);
  }
}

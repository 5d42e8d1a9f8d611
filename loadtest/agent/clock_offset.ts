/** Compares the clocks of two machines. Pure. @module */

/** A request for the time of the other machine. All in ms since 1970, on the clock of the machine that says it. */
export interface ClockSample {
  readonly sentAt: number;
  readonly receivedAt: number;
  /** The time on the other machine when it answered. */
  readonly remote: number;
}

/** The lead of another machine's clock, in ms, and the round trip of the measurement: the offset is off by half of it at most. */
export interface ClockOffset {
  readonly offset: number;
  readonly roundTrip: number;
}

/**
 * Estimates the offset from the fastest round trip, which is delayed the least: Cristian's algorithm (1989).
 *
 * @example
 * ```ts
 * import { estimateOffset } from "./clock_offset.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const slow = { sentAt: 0, receivedAt: 90, remote: 1080 };
 * const fast = { sentAt: 100, receivedAt: 102, remote: 1101 };
 * assertEquals(estimateOffset([slow, fast]), { offset: 1000, roundTrip: 2 });
 * ```
 *
 * @throws {RangeError} If no sample is given.
 */
export function estimateOffset(samples: readonly ClockSample[]): ClockOffset {
  const [first, ...rest] = samples;
  if (first === undefined) throw new RangeError("Cannot compare clocks: no sample was given");
  const roundTripOf = ({ sentAt, receivedAt }: ClockSample): number => receivedAt - sentAt;
  const fastest = rest.reduce((best, one) => roundTripOf(one) < roundTripOf(best) ? one : best, first);
  const { sentAt, receivedAt, remote } = fastest;
  return { offset: remote - (sentAt + receivedAt) / 2, roundTrip: receivedAt - sentAt };
}

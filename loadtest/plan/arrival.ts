/** Start times of the clients in a window, in ascending order. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/** Distribution of the starts over the window; see {@linkcode arrivalTimes}. */
export type Arrival = "uniform" | "constant" | "poisson" | "burst" | "ramp";

/** Every {@linkcode Arrival}. */
export const ARRIVALS = [
  "uniform",
  "constant",
  "poisson",
  "burst",
  "ramp",
] as const satisfies readonly Arrival[];

/** Number of groups in a `burst`. */
const BURSTS = 10;

/** Options for {@linkcode arrivalTimes}. */
export interface ArrivalOptions {
  readonly clients: number;
  /** Length of the window in ms. */
  readonly window: number;
  readonly random: Random;
}

/**
 * Reads the name of an {@linkcode Arrival}.
 *
 * @throws {TypeError} If `text` is not one
 */
export function parseArrival(text: string): Arrival {
  const arrival = ARRIVALS.find((one) => one === text);
  if (!arrival) throw new TypeError(`Cannot use arrival "${text}": expected ${ARRIVALS.join(", ")}`);
  return arrival;
}

/**
 * Returns the start times in ms from the beginning of the run, ascending.
 *
 * - `uniform`: each anywhere in the window, independently of the others.
 * - `constant`: equal gaps.
 * - `poisson`: gaps drawn from an exponential distribution, as between independent users. The last start falls near the
 *   end of the window, before or after it.
 * - `burst`: ten groups of equal size, a tenth of the window apart. The clients of a group start together.
 * - `ramp`: a rate that rises from 0 in proportion to time.
 */
export function arrivalTimes(arrival: Arrival, options: ArrivalOptions): Float64Array {
  const { clients, window, random } = options;
  const times = new Float64Array(clients);
  switch (arrival) {
    case "uniform":
      return times.map(() => window * random()).sort();
    case "constant":
      return times.map((_, i) => window * i / clients);
    case "poisson": {
      const gap = window / clients;
      let at = 0;
      return times.map(() => at += -gap * Math.log(1 - random()));
    }
    case "burst":
      return times.map((_, i) => window * Math.floor(i * BURSTS / clients) / BURSTS);
    case "ramp": // The integral of the rate, inverted; the first client starts when half a client is due.
      return times.map((_, i) => window * Math.sqrt((i + 0.5) / clients));
  }
}

/** Returns the largest number of ascending times within `span` ms. */
export function mostWithin(times: Float64Array, span: number): number {
  let most = 0;
  let first = 0;
  times.forEach((time, index) => {
    while (times[first]! <= time - span) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

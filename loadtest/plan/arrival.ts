/** When the clients of a load test start: instants in a window, in ascending order. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/** How the starts are spread over the window; see {@linkcode arrivalTimes}. */
export type Arrival = typeof ARRIVALS[number];

/** Every {@linkcode Arrival}. */
export const ARRIVALS = ["uniform", "constant", "poisson", "burst", "ramp"] as const;

/** How many instants a `burst` has. */
const BURSTS = 10;

/** What {@linkcode arrivalTimes} needs to know. */
export interface ArrivalOptions {
  readonly clients: number;
  /** Length of the window in ms. */
  readonly window: number;
  readonly random: Random;
}

/** @throws {TypeError} If `text` names no {@linkcode Arrival} */
export function parseArrival(text: string): Arrival {
  const arrival = ARRIVALS.find((one) => one === text);
  if (!arrival) throw new TypeError(`Arrival must be one of ${ARRIVALS.join(", ")}: got "${text}"`);
  return arrival;
}

/**
 * The instants at which clients start, in ms from the beginning of the run, ascending.
 *
 * - `uniform`: each anywhere in the window, independently of the others.
 * - `constant`: the same gap between any two.
 * - `poisson`: gaps drawn from an exponential distribution, so that the count in any second varies as that of
 *   independent users does; the last start falls near the end of the window, before or after it.
 * - `burst`: ten crowds of equal size, the starts of each at one instant, a tenth of the window apart.
 * - `ramp`: a rate that climbs from nothing in proportion to time.
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
    case "ramp": // half a client has started where the first one is put: the rate's integral, inverted
      return times.map((_, i) => window * Math.sqrt((i + 0.5) / clients));
  }
}

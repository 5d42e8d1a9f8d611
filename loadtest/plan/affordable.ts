/** Estimates what a plan takes, before anything is allocated for it. Pure. @module */
import { formatSize } from "../../internal/size.ts";
import { OptionError } from "./check_option.ts";
import { type DelayDistribution, meanReplyDelay } from "./reply_delay.ts";

/** Ports to count on for one address of the target; Linux gives out 28,232 by default. */
export const PORTS_PER_ADDRESS = 25_000;
/**
 * Ports of one address that a client gets quickly. Linux searches one half of its range first, from a random start, and once
 * that half is used up, it searches all of it in vain for each further connection: milliseconds of the kernel's time.
 */
export const QUICK_PORTS_PER_ADDRESS = 14_000;
/** Time after which Linux gives out the port of a closed connection again, in ms: on loopback, by default (`tcp_tw_reuse`). */
export const PORT_REUSE = 1000;
/** Loopback addresses to spread over: 127.0.0.1 to 127.0.0.254. */
export const LOOPBACK_ADDRESSES = 254;

/** Resources of a machine for a run. */
export interface AvailableResources {
  /** Free memory, in bytes. */
  readonly memory: number;
  /** The target's name, for the error. */
  readonly target: string;
  /** Number of the target's addresses. */
  readonly addresses: number;
}

/** The part of a plan that decides what it takes. */
export interface PlannedLoad {
  readonly clients: number;
  /** The clients start within this time, in ms. */
  readonly window: number;
  readonly replyDelay: DelayDistribution;
}

/** Estimated bytes per client: its plan in every process, its records in two ledgers, and a copy in transit. */
const BYTES_PER_CLIENT = 1000;

/** A client's life beyond its reply delay, in ms. */
const ROUND_TRIP = 1;

/**
 * Refuses a plan that this machine cannot run, at no cost.
 *
 * The estimates are low, so that nothing possible is refused. The plan itself knows its exact peak, and checks it again.
 *
 * @throws {OptionError} If there is too little memory, or there are too few ports
 *
 * @example
 * ```ts
 * import { assertAffordable } from "./affordable.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const plan = { clients: 30_000_000, window: 10_000, replyDelay: { type: "none" } } as const;
 * assertThrows(() => assertAffordable(plan, { memory: 4e9, target: "127.0.0.1:7", addresses: 1 }), RangeError);
 * ```
 */
export function assertAffordable(
  { clients, window, replyDelay }: PlannedLoad,
  { memory, target, addresses }: AvailableResources,
): void {
  const needed = clients * BYTES_PER_CLIENT;
  if (needed > memory) {
    throw new OptionError(
      "clients",
      clients,
      `they need about ${formatSize(roundedToMiB(needed))} of memory, of ${
        formatSize(roundedToMiB(memory))
      } available`,
    );
  }
  const life = meanReplyDelay(replyDelay) + ROUND_TRIP;
  const peakOpen = Math.floor(clients * Math.min(1, life / Math.max(1, window)));
  assertPorts({ clients, peakOpen, target, ports: addresses * PORTS_PER_ADDRESS });
}

/** @throws {OptionError} If `peakOpen` connections need more than `ports` */
export function assertPorts(
  { clients, peakOpen, target, ports }: {
    readonly clients: number;
    readonly peakOpen: number;
    readonly target: string;
    readonly ports: number;
  },
): void {
  if (peakOpen <= ports) return;
  throw new OptionError(
    "clients",
    clients,
    `they need ${peakOpen} ports at the same time at ${target}, of ${ports}; ` +
      "use fewer clients, a longer window, or shorter reply delays",
  );
}

function roundedToMiB(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20) * 2 ** 20;
}

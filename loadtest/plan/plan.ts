/**
 * The schedule of a load test, drawn from a seed before anything starts: when each client starts, what it sends, and
 * how long each message is held. Pure: the same options give the same plan in every process.
 *
 * @module
 */
import { formatDuration, MAX_DURATION } from "../../internal/duration.ts";
import type { ReplyDelay } from "../../relay/client_options.ts";
import type { Random } from "../../internal/clock.ts";
import type { Line } from "../../socket/codecs/line.ts";
import {
  assertPorts,
  LOOPBACK_ADDRESSES,
  PORT_REUSE,
  PORTS_PER_ADDRESS,
  QUICK_PORTS_PER_ADDRESS,
} from "./affordable.ts";
import { type Arrival, arrivalTimes, mostWithin } from "./arrival.ts";
import { assertDuration, assertInteger, OptionError } from "./check_option.ts";
import { estimatePeak } from "./peak_estimate.ts";
import { createPayload, type Payload, type PayloadSpec } from "./payload.ts";
import { drawInstants, type Stage } from "../scenario/load_shape.ts";
import { assertSeed, randomStream } from "./seeded_random.ts";
import { assertReplyDelay, type DelayDistribution, drawReplyDelay } from "./reply_delay.ts";

/** Options for {@linkcode Plan}; plain data, so that it can be sent to another process. Durations are in ms. */
export interface PlanOptions {
  readonly seed: number;
  readonly clients: number;
  /** The clients start within this time. */
  readonly window: number;
  readonly arrival: Arrival;
  readonly replyDelay: DelayDistribution;
  readonly payload: PayloadSpec;
  /** The lines of the file, for a payload of type `file`. */
  readonly lines?: readonly string[];
  /** The rate at which clients start; takes the place of `arrival` in the window, which is then as long as the stages. */
  readonly stages?: readonly Stage[];
  /** Time for which a client waits for its ok before it reconnects. Default: max(30 s, 2 × longest delay + 10 s). */
  readonly timeout?: number;
  /** Time for which a client continues to answer after its own ok. Default: the longest delay. */
  readonly linger?: number;
  /** When the run ends at the latest. Default window + 2 × timeout. */
  readonly deadline?: number;
}

/** One client of the plan. */
export interface PlannedClient {
  readonly index: number;
  /** When it starts, in ms from the beginning of the run. */
  readonly startAt: number;
  /** The text of its message. */
  readonly text: string;
}

/** Open sockets per process: the usual limit of 20,000 descriptors, less what else a process has open. */
const SOCKETS_PER_PROCESS = 19_000;
/** Factor by which the real peak may exceed the planned one. */
const PEAK_MARGIN = 1.5;

/**
 * A seeded schedule; see {@linkcode PlanOptions}.
 *
 * Making one takes memory in proportion to the number of clients: call `assertAffordable` first.
 */
export class Plan {
  readonly options: PlanOptions;
  readonly clients: number;
  /** The longest reply delay of any message in this plan, in ms. */
  readonly longestReplyDelay: number;
  /** Time for which a client waits for its ok, in ms. */
  readonly timeout: number;
  /** Time for which the spawned server waits for an ok before it redelivers, in ms: max(10 s, 2 × longest delay). */
  readonly ackTimeout: number;
  /** Time for which a client continues to answer after its own ok, in ms. */
  readonly linger: number;
  /** When the run ends at the latest, in ms from its beginning. */
  readonly deadline: number;
  /** The largest number of clients open at the same time, if the server keeps up. */
  readonly peakOpen: number;
  readonly #startAt: Float64Array;
  readonly #replyDelay: Float64Array;
  readonly #payload: Payload;

  /**
   * @throws {OptionError} If an option is out of range, or options contradict each other
   *
   * @example
   * ```ts
   * import { Plan } from "./plan.ts";
   * import { assert, assertEquals } from "@std/assert";
   *
   * const plan = new Plan({
   *   seed: 7,
   *   clients: 1000,
   *   window: 10_000,
   *   arrival: "uniform",
   *   replyDelay: { type: "uniform", min: 0, max: 5000 },
   *   payload: { type: "short" },
   * });
   * assertEquals(plan.client(17).text, "hello #17");
   * assert(plan.client(17).startAt <= plan.client(18).startAt);
   * assertEquals(plan.timeout, 30_000);
   * assertEquals([...plan.slice(1, 4)].slice(0, 3), [1, 5, 9]);
   * ```
   */
  constructor(options: PlanOptions) {
    assertPlanOptions(options);
    const { seed, clients, window, replyDelay } = options;
    this.options = options;
    this.clients = clients;
    this.#payload = createPayload(options.payload, options);
    const random = randomStream(seed, "arrival");
    this.#startAt = options.stages === undefined
      ? arrivalTimes(options.arrival, { clients, window, random })
      : drawInstants(options.stages, { random, count: clients });
    this.#replyDelay = new Float64Array(clients);
    this.#replyDelay.forEach((_, index, delays) => {
      delays[index] = drawReplyDelay(replyDelay, randomStream(seed, "reply-delay", { index }));
    });
    this.longestReplyDelay = this.#replyDelay.reduce((longest, delay) => Math.max(longest, delay), 0);
    // What is derived is bounded, so that no error names an option that was not given.
    const doubled = Math.ceil(2 * this.longestReplyDelay);
    this.timeout = options.timeout ?? Math.min(MAX_DURATION, Math.max(30_000, doubled + 10_000));
    this.ackTimeout = Math.min(MAX_DURATION, Math.max(10_000, doubled));
    this.linger = options.linger ?? this.longestReplyDelay;
    this.deadline = options.deadline ?? Math.min(MAX_DURATION, window + 2 * this.timeout);
    this.#assertConsistent();
    this.peakOpen = estimatePeak({
      startAt: this.#startAt,
      replyDelay: this.#replyDelay,
      linger: this.linger,
      stay: Math.max(this.linger, this.timeout),
      random: randomStream(seed, "receiver"),
    });
  }

  /** When client `index` starts, in ms from the beginning of the run; ascending with the index. */
  startAt(index: number): number {
    return this.#at(this.#startAt, index);
  }

  /** Everything about client `index`. */
  client(index: number): PlannedClient {
    return { index, startAt: this.startAt(index), text: this.text(index) };
  }

  /** The text of the message of client `index`. */
  text(index: number): string {
    return this.#payload.text(index);
  }

  /** The index of the client that sends exactly `text`, or `undefined` if there is none. */
  find(text: string): number | undefined {
    return this.#payload.find(text);
  }

  /**
   * The index of the client that sends exactly the text that begins, in relay notation, at byte `start` of a line, or
   * `undefined` if no client does.
   *
   * @throws {ProtocolError} If the notation is not valid; not in each case if there is no such client.
   */
  findLine(line: Line, start: number): number | undefined {
    return this.#payload.findLine(line, start);
  }

  /** Returns the time for which the receiver holds the message of client `index` before it answers, in ms. */
  replyDelay(index: number): number {
    return this.#at(this.#replyDelay, index);
  }

  /**
   * How client `index` answers: a message of this plan after that message's delay, whichever client receives it; any
   * other message after a delay drawn from the client's own stream.
   */
  replyDelayOf(index: number): ReplyDelay {
    const { seed, replyDelay } = this.options;
    const longest = this.longestReplyDelay;
    let random: Random | undefined;
    return {
      longest,
      draw: (text) => {
        const message = this.find(text);
        if (message !== undefined) return this.replyDelay(message);
        random ??= randomStream(seed, "foreign-delay", { index });
        return Math.min(longest, drawReplyDelay(replyDelay, random));
      },
    };
  }

  /** Yields the clients of part `part` of `parts`: every parts-th, so that all parts are busy all the time. */
  *slice(part: number, parts: number): Generator<number> {
    if (!Number.isInteger(part) || !Number.isInteger(parts) || part < 0 || part >= parts) {
      throw new RangeError(`Cannot take slice ${part} of a plan: expected an integer from 0 to ${parts - 1}`);
    }
    for (let index = part; index < this.clients; index += parts) yield index;
  }

  /** Longest line with one of the messages, in bytes; both sides need a limit above it. */
  get longestLine(): number {
    return "message ".length + this.#payload.longestOnWire;
  }

  /** Number of processes that the sockets need. */
  get processes(): number {
    return Math.max(1, Math.ceil(PEAK_MARGIN * this.peakOpen / SOCKETS_PER_PROCESS));
  }

  /**
   * Number of loopback addresses, 127.0.0.1 and up, over which the sockets are spread.
   *
   * @throws {OptionError} If there are not that many
   */
  get loopbackAddresses(): number {
    this.assertEnoughPorts("the loopback addresses", LOOPBACK_ADDRESSES);
    // A port is not free as soon as its connection is closed.
    const ports = this.peakOpen + mostWithin(this.#startAt, PORT_REUSE);
    const quick = Math.ceil(ports / QUICK_PORTS_PER_ADDRESS);
    return Math.min(LOOPBACK_ADDRESSES, Math.max(1, quick));
  }

  /**
   * Refuses the plan for a target with a fixed number of addresses.
   *
   * @param target The target's name, for the error
   * @param addresses The number of its addresses. Default 1
   * @throws {OptionError} If the target needs more ports than there are
   */
  assertEnoughPorts(target: string, addresses = 1): void {
    assertPorts({
      clients: this.clients,
      peakOpen: this.peakOpen,
      target,
      ports: addresses * PORTS_PER_ADDRESS,
    });
  }

  #assertConsistent(): void {
    if (this.timeout <= this.longestReplyDelay) {
      throw new OptionError(
        "timeout",
        formatDuration(this.timeout),
        `expected more than the longest reply delay, ${formatDuration(this.longestReplyDelay)}`,
      );
    }
    const last = this.startAt(this.clients - 1);
    if (this.deadline <= last) {
      throw new OptionError(
        "deadline",
        formatDuration(this.deadline),
        `expected more than the last start, ${formatDuration(last)}`,
      );
    }
  }

  #at(column: Float64Array, index: number): number {
    const value = column[index];
    if (value === undefined) {
      throw new RangeError(`Cannot find client ${index}: expected an integer from 0 to ${this.clients - 1}`);
    }
    return value;
  }
}

function assertPlanOptions({ seed, clients, window, replyDelay, ...options }: PlanOptions): void {
  assertSeed(seed);
  assertInteger("clients", clients, { min: 1 });
  assertDuration("window", window);
  assertReplyDelay(replyDelay);
  for (const name of ["timeout", "linger", "deadline"] as const) {
    const ms = options[name];
    if (ms !== undefined) assertDuration(name, ms);
  }
}

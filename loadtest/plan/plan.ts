/**
 * The schedule of a load test, made from a seed before anything starts: who starts when, says what, and how long
 * each message is held. Pure: the same options give the same plan in every process.
 *
 * @module
 */
import { formatDuration } from "../../internal/duration.ts";
import type { ReplyDelay } from "../../relay/client.ts";
import type { Random } from "../../internal/clock.ts";
import { type Arrival, arrivalTimes } from "./arrival.ts";
import { estimatePeak } from "./peak_estimate.ts";
import { createPayload, type Payload, type PayloadSpec } from "./payload.ts";
import { drawInstants, type Stage } from "../scenario/load_shape.ts";
import { assertSeed, randomStream } from "./seeded_random.ts";
import { type DelayDistribution, drawReplyDelay } from "./reply_delay.ts";

/** What a plan is made from; plain data, so that it can be sent to another process. Times in ms. */
export interface PlanOptions {
  readonly seed: number;
  readonly clients: number;
  /** The starts are spread over this. */
  readonly window: number;
  readonly arrival: Arrival;
  readonly replyDelay: DelayDistribution;
  readonly payload: PayloadSpec;
  /** The lines of the file, for a payload of type `file`. */
  readonly lines?: readonly string[];
  /** The rate at which clients start; takes the place of `arrival` in the window, which is then as long as the stages. */
  readonly stages?: readonly Stage[];
  /** How long a client waits for its ok before it tries again. Default max(30 s, 2 × longest delay + 10 s). */
  readonly timeout?: number;
  /** How long a client goes on answering after its own ok. Default: the longest delay. */
  readonly linger?: number;
  /** When the run ends at the latest. Default window + 2 × timeout. */
  readonly deadline?: number;
}

/** One client of the plan. */
export interface PlannedClient {
  readonly index: number;
  /** When it starts, in ms from the beginning of the run. */
  readonly startAt: number;
  /** What it sends. */
  readonly text: string;
}

/** Open sockets that one process takes on: the usual limit of 20,000 descriptors, less what else it has open. */
const SOCKETS_PER_PROCESS = 19_000;
/** By how much the real peak may exceed the planned one. */
const PEAK_MARGIN = 1.5;
/** Ports to count on for one address of the target, of the 28,232 that Linux gives out by default. */
const PORTS_PER_ADDRESS = 25_000;
/** Most loopback addresses to spread over, 127.0.0.1 to 127.0.0.254. */
const LOOPBACK_ADDRESSES = 254;

/** A seeded schedule; see {@linkcode PlanOptions}. */
export class Plan {
  readonly options: PlanOptions;
  readonly clients: number;
  /** The longest reply delay that any message of this plan has, in ms. */
  readonly longestReplyDelay: number;
  /** How long a client waits for its ok, in ms. */
  readonly timeout: number;
  /** How long the own server waits for an ok before it redelivers, in ms: max(10 s, 2 × longest delay). */
  readonly ackTimeout: number;
  /** How long a client goes on answering after its own ok, in ms. */
  readonly linger: number;
  /** When the run ends at the latest, in ms from its beginning. */
  readonly deadline: number;
  /** The most clients open at once, if the server keeps up. */
  readonly peakOpen: number;
  readonly #startAt: Float64Array;
  readonly #replyDelay: Float64Array;
  readonly #payload: Payload;

  /**
   * @throws {RangeError} If the options contradict each other or are out of range
   *
   * @example
   * ```ts
   * import { Plan } from "@okline/okline/loadtest";
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
    const { seed, clients, window, replyDelay } = options;
    assertSeed(seed);
    if (!Number.isInteger(clients) || clients < 1 || clients > 2 ** 31 - 1) {
      throw new RangeError(`Clients must be a whole number of at least 1: got ${clients}`);
    }
    assertMs("Window", window);
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
    this.timeout = options.timeout ?? Math.max(30_000, Math.ceil(2 * this.longestReplyDelay) + 10_000);
    this.ackTimeout = Math.max(10_000, Math.ceil(2 * this.longestReplyDelay));
    this.linger = options.linger ?? this.longestReplyDelay;
    this.deadline = options.deadline ?? window + 2 * this.timeout;
    this.#assertPossible();
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
    return { index, startAt: this.startAt(index), text: this.#payload.text(index) };
  }

  /** The index of the client that sends exactly `text`, or `undefined` when none does. */
  find(text: string): number | undefined {
    return this.#payload.find(text);
  }

  /** How long whoever receives the message of client `index` holds it before answering, in ms. */
  replyDelay(index: number): number {
    return this.#at(this.#replyDelay, index);
  }

  /**
   * How client `index` answers: a message of this plan after the delay that goes with the message, whoever has it;
   * a message from elsewhere after one drawn from the client's own stream.
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

  /** The clients that part `part` of `parts` runs: every parts-th, so that all parts are busy all the time. */
  *slice(part: number, parts: number): Generator<number> {
    if (!Number.isInteger(part) || !Number.isInteger(parts) || part < 0 || part >= parts) {
      throw new RangeError(`Slice must be one of 0 to ${parts - 1}, of a whole number of parts: got ${part}`);
    }
    for (let index = part; index < this.clients; index += parts) yield index;
  }

  /** Most bytes of a line with one of the messages: for the limits of both sides. */
  get longestLine(): number {
    return "message ".length + this.#payload.longestOnWire;
  }

  /** How many processes the sockets need. */
  get processes(): number {
    return Math.max(1, Math.ceil(PEAK_MARGIN * this.peakOpen / SOCKETS_PER_PROCESS));
  }

  /**
   * How many loopback addresses, 127.0.0.1 and up, the sockets need.
   *
   * @throws {RangeError} If there are not that many
   */
  get loopbackAddresses(): number {
    const needed = Math.max(1, Math.ceil(this.peakOpen / PORTS_PER_ADDRESS));
    if (needed > LOOPBACK_ADDRESSES) {
      throw new RangeError(
        `${this.peakOpen} clients open at once need ${needed} loopback addresses, of ${LOOPBACK_ADDRESSES}`,
      );
    }
    return needed;
  }

  /**
   * Refuses the plan for a target with fixed addresses.
   *
   * @param target The target's name, for the message
   * @param addresses How many addresses it has. Default 1
   * @throws {RangeError} If the target needs more ports than there are
   */
  assertEnoughPorts(target: string, addresses = 1): void {
    const ports = addresses * PORTS_PER_ADDRESS;
    if (this.peakOpen <= ports) return;
    throw new RangeError(
      `Target ${target} would need ${this.peakOpen} ports at once, of ${ports}: ` +
        "use fewer clients, a longer window or shorter reply delays",
    );
  }

  #assertPossible(): void {
    assertMs("Timeout", this.timeout);
    assertMs("Linger", this.linger);
    assertMs("Deadline", this.deadline);
    if (this.timeout <= this.longestReplyDelay) {
      throw new RangeError(
        `Timeout must be above the longest reply delay, ${formatDuration(this.longestReplyDelay)}: ` +
          `got ${formatDuration(this.timeout)}`,
      );
    }
    const last = this.startAt(this.clients - 1);
    if (this.deadline <= last) {
      throw new RangeError(
        `Deadline must be after the last start, at ${formatDuration(last)}: got ${
          formatDuration(this.deadline)
        }`,
      );
    }
  }

  #at(column: Float64Array, index: number): number {
    const value = column[index];
    if (value === undefined) {
      throw new RangeError(`Client must be one of 0 to ${this.clients - 1}: got ${index}`);
    }
    return value;
  }
}

function assertMs(name: string, ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`${name} must be a duration from 0 up: got ${ms} ms`);
  }
}

/** A scenario: what a client does on its connection, written by a user. Pure. @module */
import type { Codec } from "../../socket/codecs/codec.ts";
import type { Random } from "../../internal/clock.ts";
import { MAX_DURATION, parseDuration } from "../../internal/duration.ts";
import type { DataRow, DataSource } from "./data_rows.ts";
import type { Expectation } from "./expectation.ts";
import type { CorrelationKey } from "./session/batch.ts";

/** A duration: ms as a number, or text such as `100ms`, `1.5s`, or `5m`. */
export type ScenarioDuration = number | string;

/** Options of a request. */
export interface AskOptions<Frame> {
  /** The expected reply. Default: any. */
  readonly expect?: Expectation<Frame>;
  /** Longest wait for the reply. Default: the timeout of the run. */
  readonly timeout?: ScenarioDuration;
  /** The step under which the report shows it. Default: the first word of a text frame, or of an array. */
  readonly name?: string;
}

/** Options of requests that are sent together. */
export interface AskAllOptions<Frame> extends Omit<AskOptions<Frame>, "expect"> {
  /** The expected reply to every request. A function also gets the index of the request. Default: any. */
  readonly expect?: Frame | RegExp | ((reply: Frame, index: number) => boolean | void);
  /**
   * The expected reply to each request, in order, instead of `expect`. Frames rather than functions also let the load
   * test recognize the reply to another session's request.
   */
  readonly expectEach?: readonly (Expectation<Frame> | undefined)[];
}

/** A custom metric. */
export interface Metric {
  /** Records a value: ms for a duration, or any other number from 0. */
  record(value: number): void;
}

/** One connection of a scenario, as the scenario sees it. */
export interface Session<Frame = string, Shared = undefined> {
  /** The client's number, from 0. */
  readonly client: number;
  /** The seed of the run. */
  readonly seed: number;
  /** Random numbers of this client, the same for the same seed. */
  readonly random: Random;
  /** This client's row of the data; an empty row if the scenario has no data. */
  readonly row: DataRow;
  /** The result of `setup`. */
  readonly shared: Shared;
  /**
   * Sends a request and waits for its reply.
   *
   * @returns The reply.
   * @throws {AskError} If the reply is not the expected one, or does not arrive. The ledger has it in any case, also
   * when the promise is not awaited.
   * @throws {SessionStoppedError} If the run is over.
   */
  ask(frame: Frame, options?: AskOptions<Frame>): Promise<Frame>;
  /**
   * Sends requests in one write, as a pipeline, and waits for all replies. Each is recorded and judged like a request of
   * `ask`, but they share a promise, which costs a generator much less. `timeout` counts for each from sending.
   *
   * @param frames The requests. With none, nothing is sent.
   * @returns The replies, in the order of the requests, however they arrived.
   * @throws {AskError} If requests failed, once all have settled: the error of the first of them in order, with its
   * `index`, its frame, and the number of `failures`.
   * @throws {TypeError} If the codec cannot carry a frame. The requests before it were sent, and are recorded.
   * @throws {SessionStoppedError} If the run is over.
   *
   * @example
   * ```ts
   * import { assertProven, lineCodec, runLoadTest, scenario } from "@okline/okline/loadtest";
   * import { listen } from "@okline/okline";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = listen({ port: 0 });
   * server.serve(async (peer) => {
   *   for await (const line of peer) peer.send(line.toUpperCase());
   * });
   * const pipelined = scenario({
   *   codec: lineCodec(),
   *   async session(t) {
   *     const replies = await t.askAll(["one", "two"], { expectEach: ["ONE", "TWO"] });
   *     assertEquals(replies, ["ONE", "TWO"]);
   *     await t.askAll(["a 1", "a 2", "a 3"], { expect: (reply, index) => reply === `A ${index + 1}` });
   *   },
   *   expectState: () => Promise.resolve({ connections: server.stats().connections }),
   * });
   * const run = await runLoadTest({ scenario: pipelined, target: server.addresses, clients: 2, seed: 1 });
   * assertProven(run);
   * assertEquals(run.summary.scenario?.requests, 10);
   * ```
   */
  askAll(frames: readonly Frame[], options?: AskAllOptions<Frame>): Promise<Frame[]>;
  /** Sends a frame that expects no reply. */
  send(frame: Frame): void;
  /**
   * Calls `handle` for every frame that matches, which then never counts as a reply. A frame that is not a reply and
   * has no handler is a finding.
   */
  on(match: Expectation<Frame>, handle: (frame: Frame) => void | Promise<void>): void;
  /** Counts a condition; one that is false is a finding. Returns `ok`. */
  check(name: string, ok: boolean): boolean;
  /** A custom metric, which the report shows and thresholds may refer to. */
  metric(name: string): Metric;
  /** Waits, as a user thinks. The next request is planned for the end of the wait. */
  think(duration: ScenarioDuration): Promise<void>;
}

/** Options of {@linkcode scenario}. */
export interface ScenarioOptions<Frame, Shared> {
  /** Framing of the protocol. */
  readonly codec: Codec<Frame>;
  /** Runs once on each connection. Required unless there is a `message`. */
  readonly session?: (t: Session<Frame, Shared>) => Promise<void> | void;
  /** One message of the protocol, run many times on each connection, after `session`: `--messages`, `--rate`. */
  readonly message?: (t: Session<Frame, Shared>) => Promise<unknown> | void;
  /** Runs once, before the first client starts. What it returns is `t.shared`, as JSON where clients run in processes of their own. */
  readonly setup?: () => Shared | Promise<Shared>;
  /** Runs once, after the last client. */
  readonly teardown?: (shared: Shared) => void | Promise<void>;
  /** Rows of data, one for each client. */
  readonly data?: DataSource;
  /**
   * Returns the id that a request and its reply share, or `undefined` for a frame that is not a reply. Default:
   * replies arrive in the order of requests.
   */
  readonly correlate?: (frame: Frame) => CorrelationKey | undefined;
  /** Asks the server for figures that must all be 0 after the run, such as its open connections. */
  readonly expectState?: () => Promise<Readonly<Record<string, number>>>;
  /** Default timeout of a request. Default: `--timeout`. */
  readonly timeout?: ScenarioDuration;
}

const MARK = "scenario";

/** A scenario that the load test can run; made by {@linkcode scenario}. */
export interface Scenario<Frame = unknown, Shared = unknown> extends ScenarioOptions<Frame, Shared> {
  /** The mark of scenarios, which another copy of the library recognizes too. */
  readonly okline: "scenario";
}

/**
 * Defines a scenario.
 *
 * @throws {TypeError} If it has no codec, or neither `session` nor `message`.
 *
 * @example
 * ```ts
 * import { lineCodec, scenario } from "@okline/okline/loadtest";
 *
 * export default scenario({
 *   codec: lineCodec(),
 *   async session(t) {
 *     await t.ask("LOGIN ann", { expect: "OK" });
 *     for (let i = 0; i < 10; i++) {
 *       await t.think("100ms");
 *       await t.ask(`PUT ${i}`, { expect: /^STORED \d+$/ });
 *     }
 *     t.send("QUIT");
 *   },
 * });
 * ```
 */
export function scenario<Frame, Shared = undefined>(
  options: ScenarioOptions<Frame, Shared>,
): Scenario<Frame, Shared> {
  assertOptions(options);
  return { ...options, okline: MARK };
}

/** Whether a value was made by {@linkcode scenario}, of this or of another copy of the library. */
export function isScenario(value: unknown): value is Scenario {
  return typeof value === "object" && value !== null && Reflect.get(value, "okline") === MARK;
}

/** A duration of a scenario in ms. */
export function toMs(duration: ScenarioDuration): number {
  if (typeof duration === "string") return parseDuration(duration);
  if (duration >= 0 && duration <= MAX_DURATION) return duration;
  throw new RangeError(
    `Cannot wait ${duration} ms: expected a number from 0 to ${MAX_DURATION}, or text such as 100ms`,
  );
}

const FUNCTIONS = ["session", "message", "setup", "teardown", "correlate", "expectState"] as const;
const KNOWN: ReadonlySet<string> = new Set([...FUNCTIONS, "codec", "data", "timeout"]);

/**
 * Checks a scenario that another copy of the library, or none, has made.
 *
 * @throws {TypeError} If it has no codec, or neither `session` nor `message`.
 */
export function assertScenario({ okline: _, ...options }: Scenario): void {
  assertOptions(options);
}

function assertOptions<Frame, Shared>(options: ScenarioOptions<Frame, Shared>): void {
  const { codec, session, message, timeout } = options;
  if (typeof codec?.decoder !== "function" || typeof codec.encoder !== "function") {
    throw new TypeError("Cannot use the scenario: expected a codec, such as lineCodec()");
  }
  if (session === undefined && message === undefined) {
    throw new TypeError("Cannot use the scenario: expected a function session(t) or message(t)");
  }
  for (const name of FUNCTIONS) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`Cannot use the scenario: expected ${name} to be a function, got ${typeof value}`);
    }
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot use the scenario: unknown option "${unknown}", expected ${[...KNOWN].join(", ")}`,
    );
  }
  if (timeout !== undefined) toMs(timeout);
  assertData(options.data);
}

function assertData(data: unknown): void {
  const isRow = (row: unknown): boolean => typeof row === "object" && row !== null && !Array.isArray(row);
  if (data === undefined || typeof data === "string") return;
  if (
    Array.isArray(data)
      ? data.every(isRow)
      : isRow(data) && typeof Reflect.get(Object(data), "file") === "string"
  ) {
    return;
  }
  throw new TypeError(
    "Cannot use the data of the scenario: expected a file, { file, reuse }, or an array of rows",
  );
}

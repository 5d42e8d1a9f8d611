/** The parameter `t` of a scenario: the methods of a session, and the planned time of its next request. @module */
import type { Random } from "../../../internal/clock.ts";
import { plural } from "../../../internal/plural.ts";
import type { DataRow } from "../data_rows.ts";
import type { Expectation } from "../expectation.ts";
import {
  type AskAllOptions,
  type AskOptions,
  type Metric,
  type ScenarioDuration,
  type Session,
  toMs,
} from "../scenario.ts";
import type { ScenarioEvent } from "../events.ts";
import type { SessionCore } from "./core.ts";

/** State shared by all contexts of one connection. */
export interface ContextFacts<Frame, Shared> {
  readonly core: SessionCore<Frame>;
  readonly seed: number;
  readonly row: DataRow;
  readonly shared: Shared;
  /** Random numbers of this client. */
  readonly random: Random;
  readonly record: (event: ScenarioEvent) => void;
}

const NO_OPTIONS = {};

/** The `t` of a session, or of one message. */
export class Context<Frame, Shared> implements Session<Frame, Shared> {
  readonly #facts: ContextFacts<Frame, Shared>;
  /** The planned instant of the next request; `Infinity` for as soon as it is sent. */
  #due: number;

  constructor(facts: ContextFacts<Frame, Shared>, due: number) {
    this.#facts = facts;
    this.#due = due;
  }

  get client(): number {
    return this.#facts.core.client;
  }

  get seed(): number {
    return this.#facts.seed;
  }

  get random(): Random {
    return this.#facts.random;
  }

  get row(): DataRow {
    return this.#facts.row;
  }

  get shared(): Shared {
    return this.#facts.shared;
  }

  ask(frame: Frame, options: AskOptions<Frame> = NO_OPTIONS): Promise<Frame> {
    if (options.name !== undefined) assertText("name of a step", options.name);
    const due = this.#due;
    this.#due = Infinity;
    if (options.timeout === undefined) {
      return this.#facts.core.ask(frame, due, options as Omit<typeof options, "timeout">);
    }
    return this.#facts.core.ask(frame, due, { ...options, timeout: toMs(options.timeout) });
  }

  askAll(frames: readonly Frame[], options: AskAllOptions<Frame> = NO_OPTIONS): Promise<Frame[]> {
    assertAskAll(frames, options);
    if (frames.length === 0) return Promise.resolve([]);
    const due = this.#due;
    this.#due = Infinity;
    const { timeout, expectEach, ...rest } = options;
    return this.#facts.core.askAll(frames, due, {
      ...rest,
      ...(expectEach === undefined ? {} : { expectEach: expectEach.slice() }),
      ...(timeout === undefined ? {} : { timeout: toMs(timeout) }),
    });
  }

  send(frame: Frame): void {
    this.#facts.core.push(frame);
  }

  on(match: Expectation<Frame>, handle: (frame: Frame) => void | Promise<void>): void {
    if (typeof handle !== "function") {
      throw new TypeError(`Cannot handle frames: expected a function, got ${nameOfType(handle)}`);
    }
    this.#facts.core.on(match, handle);
  }

  check(name: string, ok: boolean): boolean {
    const { core, record } = this.#facts;
    assertText("name of a check", name);
    // Anything else is true, so that the check could not fail: a promise, for example.
    if (typeof ok !== "boolean") {
      throw new TypeError(`Cannot check "${name}": expected true or false, got ${nameOfType(ok)}`);
    }
    record({ event: "check", client: core.client, at: core.now(), name, ok });
    return ok;
  }

  metric(name: string): Metric {
    const { core, record } = this.#facts;
    assertMetricName(name);
    return {
      record: (value) => {
        if (!Number.isFinite(value) || value < 0) {
          throw new RangeError(`Cannot record ${value} in the metric ${name}: expected a number from 0`);
        }
        record({ event: "metric", client: core.client, at: core.now(), name, value });
      },
    };
  }

  async think(duration: ScenarioDuration): Promise<void> {
    this.#due = await this.#facts.core.think(toMs(duration));
  }
}

function assertAskAll<Frame>(
  frames: readonly Frame[],
  { name, expect, expectEach }: AskAllOptions<Frame>,
): void {
  if (name !== undefined) assertText("name of a step", name);
  if (!Array.isArray(frames)) {
    throw new TypeError(`Cannot send the requests: expected an array of frames, got ${typeof frames}`);
  }
  if (expectEach === undefined) return;
  if (expect !== undefined) {
    throw new TypeError("Cannot use expect and expectEach together: expected one of them");
  }
  if (expectEach.length !== frames.length) {
    throw new RangeError(
      `Cannot judge the replies to ${
        plural(frames.length, "request")
      }: got ${expectEach.length} in expectEach, expected one for each`,
    );
  }
}

/** Names that thresholds can refer to. */
const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

function assertMetricName(name: string): void {
  if (typeof name === "string" && METRIC_NAME.test(name)) return;
  throw new RangeError(
    `Cannot name a metric "${name}": expected letters, digits, "-", and "_", starting with a letter`,
  );
}

/** The types of a scenario are not checked in a compiled program. */
function assertText(what: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot use this ${what}: expected text, got ${nameOfType(value)}`);
}

function nameOfType(value: unknown): string {
  return value instanceof Promise ? "a promise" : value === null ? "null" : typeof value;
}

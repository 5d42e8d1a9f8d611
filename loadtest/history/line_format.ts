/** Formats events as lines of JSON, and parses them with every field checked. Pure. @module */
import { MAX_DURATION } from "../../internal/duration.ts";
import { ASK_RESULTS, FRAME_KINDS, SESSION_RESULTS } from "../scenario/events.ts";
import { END_TYPES, GENERATOR_LIMITS, type HistoryEvent, RULES, SCHEMA } from "./events.ts";

/** A line of a history is not a valid event. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  /** The line number, from 1. */
  readonly line: number;

  constructor(line: number, message: string, options?: ErrorOptions) {
    super(`History line ${line}: ${message}`, options);
    this.line = line;
  }
}

/** Times are written in microseconds: finer digits are noise, and a third of the file. */
const DIGITS = 1000;

type Check = (value: unknown) => boolean;
type Fields<E> = { readonly [Name in Exclude<keyof E, "event">]-?: Check };

const index: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** Rows are numbered in 32 bits. */
const count: Check = (value) => index(value) && Number(value) < 2 ** 31;
/** A read has no more replies; a forged number must not fill the memory. */
const answers: Check = (value) => index(value) && Number(value) >= 1 && Number(value) <= 2 ** 20;
const time: Check = (value) => typeof value === "number" && Number.isFinite(value);
const bound: Check = (value) => time(value) && Number(value) > 0 && Number(value) <= MAX_DURATION;
const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const message: Check = (value) => text(value) || index(value);
const oneOf = (...values: readonly unknown[]): Check => (value) => values.includes(value);
const reason: Check = oneOf(...END_TYPES);
const optional = (check: Check): Check => (value) => value === undefined || check(value);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const serverProcess: Check = (value) =>
  isObject(value) && count(value.pid) && index(value.accepted) && optional(index)(value.messages);

const serverState: Check = (value) => {
  if (value === null) return true;
  if (!isObject(value)) return false;
  const { connections, pending, timers, queuedBytes, descriptors, closed, stray, redelivered, custom } =
    value;
  const { processes, restarts, unread } = value;
  return [connections, pending, timers, queuedBytes, descriptors].every((one) => one === null || time(one)) &&
    (custom === undefined || (isObject(custom) && Object.values(custom).every(time))) &&
    [stray, redelivered, restarts].every(optional(index)) && optional(text)(unread) &&
    (processes === undefined || (Array.isArray(processes) && processes.every(serverProcess))) &&
    isObject(closed) && Object.entries(closed).every(([type, count]) => reason(type) && index(count));
};

const load: Check = (value) =>
  isObject(value) && [value.cpu, value.waiting, value.garbage].every((one) => one === null || time(one));

const ofMessage = { client: index, at: time, message };
const ofPeer = { at: time, local: text, remote: text };

/** The fields of each kind of event. */
const EVENTS: { readonly [Kind in HistoryEvent["event"]]: Fields<Extract<HistoryEvent, { event: Kind }>> } = {
  run: {
    schema: oneOf(SCHEMA),
    seed: index,
    clients: count,
    protocol: oneOf("relay", "echo", "hello", "scenario"),
    server: oneOf("own", "foreign"),
    faults: flag,
    maxLag: optional(bound),
    rules: optional(oneOf(2, RULES)),
    scenario: optional(text),
    ordered: optional(flag),
    warmup: optional(time),
  },
  planned: { client: index, at: time, text, length: optional(index) },
  start: { client: index, at: time, due: optional(time) },
  pace: { at: time, paused: flag, speed: bound },
  connect: { client: index, at: time, took: time, local: text, remote: text },
  refused: { client: index, at: time, error: text, limit: optional(oneOf(...GENERATOR_LIMITS)) },
  error: { client: index, at: time, text },
  send: { client: index, at: time },
  receive: ofMessage,
  answer: ofMessage,
  ack: ofMessage,
  close: { client: index, at: time, reason, detail: optional(text) },
  ask: {
    client: index,
    at: time,
    ask: index,
    count: optional(answers),
    step: text,
    due: time,
    sent: time,
    result: optional(oneOf(...ASK_RESULTS)),
    detail: optional(text),
  },
  frame: { client: index, at: time, kind: oneOf(...FRAME_KINDS), text },
  push: { client: index, at: time },
  check: { client: index, at: time, name: text, ok: flag },
  metric: { client: index, at: time, name: text, value: time },
  session: { client: index, at: time, result: oneOf(...SESSION_RESULTS), detail: optional(text) },
  shape: { process: index, lag: time, planned: index, heldBack: index, notSent: index },
  threw: { at: time, detail: text },
  fault: { at: time, kind: text, client: optional(index) },
  accepted: ofPeer,
  ended: { ...ofPeer, reason },
  server: { at: time, state: serverState },
  generator: { process: index, loopLag: time, socketLag: time, load: optional(load) },
  agent: { process: index, name: text, offset: time, roundTrip: time },
  died: {
    at: time,
    process: (value) => value === "server" || index(value),
    agent: optional(text),
    detail: text,
  },
  killed: { at: time, detail: text },
  stop: {
    at: time,
    why: oneOf("done", "deadline", "died", "interrupted", "threshold", "unreachable"),
    threshold: optional(text),
  },
  verdict: {
    verdict: text,
    crossed: (value) => Array.isArray(value) && value.every(text),
    lines: index,
    sha256: text,
  },
};

/**
 * Formats an event as one line, without its LF. Times are rounded to microseconds.
 *
 * @example
 * ```ts
 * import { formatHistoryLine, parseHistoryLine } from "./line_format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = formatHistoryLine({ event: "ack", client: 17, at: 1200.5, message: 17 });
 * assertEquals(line, '{"event":"ack","client":17,"at":1200.5,"message":17}');
 * assertEquals(parseHistoryLine(line, 1), { event: "ack", client: 17, at: 1200.5, message: 17 });
 * ```
 */
export function formatHistoryLine(event: HistoryEvent): string {
  return JSON.stringify(
    event,
    (_key, value: unknown) => typeof value === "number" ? Math.round(value * DIGITS) / DIGITS : value,
  );
}

/**
 * Parses a line.
 *
 * @param line A line of JSON, without its LF
 * @param number The line number, from 1, for the error
 * @throws {HistoryError} If the line is not JSON or not an event, or a field is missing, unknown, or of the wrong type
 */
export function parseHistoryLine(line: string, number: number): HistoryEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new HistoryError(number, `expected JSON: got ${excerpt(line)}`, { cause });
  }
  if (!isEvent(parsed, number)) throw new HistoryError(number, `expected an event: got ${excerpt(line)}`);
  return parsed;
}

function isEvent(value: unknown, number: number): value is HistoryEvent {
  if (!isObject(value) || typeof value["event"] !== "string") return false;
  const kind = value["event"];
  if (!isKind(kind)) {
    throw new HistoryError(number, `unknown event "${kind}": expected ${Object.keys(EVENTS).join(", ")}`);
  }
  const fields: Readonly<Record<string, Check>> = EVENTS[kind];
  for (const [name, check] of Object.entries(fields)) {
    if (!check(value[name])) {
      throw new HistoryError(number, `bad "${name}" of "${kind}": got ${JSON.stringify(value[name])}`);
    }
  }
  for (const name of Object.keys(value)) {
    if (name !== "event" && !Object.hasOwn(fields, name)) {
      throw new HistoryError(number, `"${kind}" has no "${name}"`);
    }
  }
  return true;
}

function isKind(kind: string): kind is HistoryEvent["event"] {
  return Object.hasOwn(EVENTS, kind);
}

function excerpt(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

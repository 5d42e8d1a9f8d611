/**
 * What happened in a load test, as events: the ledger of a live run and the judge of a written history read the
 * very same ones. Written, each is one line of JSON. Pure.
 *
 * Times are `at`, in ms from the beginning of the run. Addresses are written `127.0.0.1:8000`.
 *
 * @module
 */
import type { CloseType } from "../../socket/errors.ts";
import type { ScenarioEvent, ShapeEvent } from "../scenario/events.ts";

/** The schema of histories and summaries that this version writes. */
export const SCHEMA = 1;

/**
 * The most that a generator may lag at the 99th percentile unless it is told otherwise, in ms: behind its schedule, in its
 * event loop and in hearing from its sockets. Beyond it what is measured is the generator.
 */
export const DEFAULT_MAX_LAG = 100;

/** The plan's message of that index, which client of that index sends; or the text itself, when it is not of the plan. */
export type MessageName = number | string;

/** The first event: what was asked for, as far as the judge must know. */
export interface RunEvent {
  readonly event: "run";
  readonly schema: typeof SCHEMA;
  readonly seed: number;
  readonly clients: number;
  /** What the clients speak: only a relay has receivers that answer. */
  readonly protocol: "relay" | "echo" | "hello" | "scenario";
  /** Whether the server was started for this run, and so has no other clients. */
  readonly server: "own" | "foreign";
  /** Whether faults were asked for, which excuse what they cause. */
  readonly faults: boolean;
  /**
   * The most that a generator may lag before the run is invalid, in ms. Default {@linkcode DEFAULT_MAX_LAG}, as in histories
   * of versions that had no choice.
   */
  readonly maxLag?: number;
  /** Whether a scenario gets the replies of a connection in the order of its requests. Default `true`. */
  readonly ordered?: boolean;
  /** Requests of a scenario that were due before this, in ms, are proven and not measured. Default 0. */
  readonly warmup?: number;
}

/** A client was planned, and its message. */
export interface PlannedEvent {
  readonly event: "planned";
  readonly client: number;
  readonly at: number;
  /** The beginning of its message; see {@linkcode plannedEvent}. */
  readonly text: string;
  /** The whole length in UTF-16 units, where `text` is only the beginning. */
  readonly length?: number;
}

/** A client came to life and will dial at once. */
export interface StartEvent {
  readonly event: "start";
  readonly client: number;
  readonly at: number;
}

/** A client is connected. */
export interface ConnectEvent {
  readonly event: "connect";
  readonly client: number;
  readonly at: number;
  /** How long dialling took, in ms. */
  readonly took: number;
  /** The client's own address, and the server's. */
  readonly local: string;
  readonly remote: string;
}

/** A client could not connect, and will try again or give up. */
export interface RefusedEvent {
  readonly event: "refused";
  readonly client: number;
  readonly at: number;
  readonly error: string;
}

/** The server answered a client with an error, or a line that is no frame; `text` has its beginning. */
export interface ErrorEvent {
  readonly event: "error";
  readonly client: number;
  readonly at: number;
  readonly text: string;
}

/** A client sent its message, for the first time or again. */
export interface SendEvent {
  readonly event: "send";
  readonly client: number;
  readonly at: number;
}

/** A client was given a message; it sent the ok for one that it had been given; it got an ok. */
export interface MessageEvent<Kind extends "receive" | "answer" | "ack"> {
  readonly event: Kind;
  readonly client: number;
  readonly at: number;
  readonly message: MessageName;
}

/** Every way in which a client's connection may end; tables keep its place here. */
export const END_TYPES = [
  "natural",
  "local",
  "reset",
  "tls-failed",
  "write-failed",
  "slow-reader",
  "framing",
  "timeout",
  "unauthorized",
  "handler-failed",
  "stopped",
] as const;

/** How a client's connection ended: a `CloseType`, or `stopped` when the run was over for it, as at the deadline. */
export type EndType = (typeof END_TYPES)[number];

/** A client's connection ended, as the client saw it. */
export interface CloseEvent {
  readonly event: "close";
  readonly client: number;
  readonly at: number;
  readonly reason: EndType;
  /** More about the reason, for people. */
  readonly detail?: string;
}

/** A fault was injected. */
export interface FaultEvent {
  readonly event: "fault";
  readonly at: number;
  readonly kind: string;
  /** At which client, unless it was elsewhere. */
  readonly client?: number;
}

/** The server accepted a connection; `local` is the server's address, `remote` the client's. */
export interface AcceptedEvent {
  readonly event: "accepted";
  readonly at: number;
  readonly local: string;
  readonly remote: string;
}

/** A connection ended, as the server saw it. */
export interface EndedEvent {
  readonly event: "ended";
  readonly at: number;
  readonly local: string;
  readonly remote: string;
  readonly reason: CloseType;
}

/** What a server holds, and has counted since it started. */
export interface ServerState {
  readonly connections: number | null;
  readonly pending: number | null;
  readonly timers: number | null;
  readonly queuedBytes: number | null;
  /** Sockets that it did not have right after it began to listen; `null` when they could not be counted. */
  readonly descriptors: number | null;
  /** How its connections ended. */
  readonly closed: Readonly<Partial<Record<CloseType, number>>>;
  /** Oks that settled nothing, and messages handed on; absent where the server does not count them. */
  readonly stray?: number;
  readonly redelivered?: number;
  /** Figures that the server of a scenario reports, and that must be 0. */
  readonly custom?: Readonly<Record<string, number>>;
}

/** The server's state after the run; `null` when there was nobody to ask. */
export interface ServerEvent {
  readonly event: "server";
  readonly at: number;
  readonly state: ServerState | null;
}

/** A generator process was done, and how late its event loop ran, and heard from its sockets, at the 99th percentile, in ms. */
export interface GeneratorEvent {
  readonly event: "generator";
  readonly process: number;
  readonly loopLag: number;
  readonly socketLag: number;
}

/** A process ended that should not have: the server, or the generator of that number. */
export interface DiedEvent {
  readonly event: "died";
  readonly at: number;
  readonly process: "server" | number;
  /** How, as in `exit code 1`. */
  readonly detail: string;
}

/** The run was stopped: all clients were done, the deadline came, the server died, or somebody interrupted it. */
export interface StopEvent {
  readonly event: "stop";
  readonly at: number;
  readonly why: "done" | "deadline" | "died" | "interrupted";
}

/** What was judged when the run was over; the last event. Judging the others again must come to the same. */
export interface VerdictEvent {
  readonly event: "verdict";
  readonly verdict: string;
  /** The thresholds that were crossed. */
  readonly crossed: readonly string[];
  /** The count of the lines before this one, and the SHA-256 of them in hexadecimal, each with its LF. */
  readonly lines: number;
  readonly sha256: string;
}

/** One event of a history. */
export type HistoryEvent =
  | RunEvent
  | PlannedEvent
  | StartEvent
  | ConnectEvent
  | RefusedEvent
  | ErrorEvent
  | SendEvent
  | MessageEvent<"receive">
  | MessageEvent<"answer">
  | MessageEvent<"ack">
  | CloseEvent
  | ScenarioEvent
  | ShapeEvent
  | FaultEvent
  | AcceptedEvent
  | EndedEvent
  | ServerEvent
  | GeneratorEvent
  | DiedEvent
  | StopEvent
  | VerdictEvent;

/** The most that the generators of a run may lag, in ms. */
export function maxLagOf({ maxLag = DEFAULT_MAX_LAG }: RunEvent): number {
  return maxLag;
}

/** How much of a message a `planned` event shows, in UTF-16 units: enough to know it by. */
const TEXT_SHOWN = 80;

/** The event for a planned client; a long text is cut, for the history need not be larger than the traffic. */
export function plannedEvent(client: { index: number; startAt: number; text: string }): PlannedEvent {
  const { index, startAt, text } = client;
  const planned: PlannedEvent = { event: "planned", client: index, at: startAt, text };
  return text.length > TEXT_SHOWN
    ? { ...planned, text: text.slice(0, TEXT_SHOWN), length: text.length }
    : planned;
}

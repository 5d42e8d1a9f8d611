/**
 * The events of a load test. The ledger of a live run and the verifier of a written history read the same ones; in a
 * file, each is one line of JSON. Pure.
 *
 * Times are `at`, in ms from the beginning of the run. Addresses are written `127.0.0.1:8000`.
 *
 * @module
 */
import type { CloseType } from "../../socket/errors.ts";
import type { ThreadLoad } from "../process/thread_load.ts";
import type { ScenarioEvent, ShapeEvent, ThrewEvent } from "../scenario/events.ts";

/** The schema of histories and summaries that this version writes. */
export const SCHEMA = 1;

/**
 * The version of the judge's rules, in histories since version 2. Since then, a generator process that dies makes a run
 * invalid; before, it made the run fail. Since version 3, a connection of a scenario that is open when the run ends,
 * although its session is done, has not ended naturally.
 */
export const RULES = 3;

/**
 * The default for the highest lag of a generator at the 99th percentile, in ms: behind its schedule, in its timers, and
 * in its socket reads. Beyond it, the metrics measure the generator.
 */
export const DEFAULT_MAX_LAG = 100;

/** The index of a planned message, which is the index of its client; or the text of a message outside of the plan. */
export type MessageName = number | string;

/** The first event: the parts of the plan that the judge needs. */
export interface RunEvent {
  readonly event: "run";
  readonly schema: typeof SCHEMA;
  readonly seed: number;
  readonly clients: number;
  /** The protocol of the clients. Only a relay has receivers that answer. */
  readonly protocol: "relay" | "echo" | "hello" | "scenario";
  /** `own` if the server serves this run only, and has no other clients. */
  readonly server: "own" | "foreign";
  /** Whether faults are injected, which excuses their effects. */
  readonly faults: boolean;
  /**
   * The highest lag of a generator in a valid run, in ms. Default {@linkcode DEFAULT_MAX_LAG}, for histories of versions
   * without this option.
   */
  readonly maxLag?: number;
  /** The scenario file, as the user wrote its name. Default: not a file, or another protocol. */
  readonly scenario?: string;
  /** Whether a scenario gets the replies of a connection in the order of its requests. Default `true`. */
  readonly ordered?: boolean;
  /** Requests of a scenario that were due before this, in ms, are proven and not measured. Default 0. */
  readonly warmup?: number;
  /** The rules to judge by. Default: those before {@linkcode RULES}. */
  readonly rules?: 2 | typeof RULES;
}

/** A client was planned, and its message. */
export interface PlannedEvent {
  readonly event: "planned";
  readonly client: number;
  readonly at: number;
  /** The beginning of its message; see {@linkcode plannedEvent}. */
  readonly text: string;
  /** The whole length in UTF-16 units, if `text` is only the beginning. */
  readonly length?: number;
}

/** A client started, and connects immediately. */
export interface StartEvent {
  readonly event: "start";
  readonly client: number;
  readonly at: number;
  /** When it was due, if a change of the pace moved that. Default: as planned. */
  readonly due?: number;
}

/** An operator paused the run, resumed it, or changed its speed. */
export interface PaceEvent {
  readonly event: "pace";
  readonly at: number;
  readonly paused: boolean;
  /** Factor by which new work starts faster than planned. */
  readonly speed: number;
}

/** A client is connected. */
export interface ConnectEvent {
  readonly event: "connect";
  readonly client: number;
  readonly at: number;
  /** Duration of connecting, in ms. */
  readonly took: number;
  /** The client's own address, and the server's. */
  readonly local: string;
  readonly remote: string;
}

/** Limits of a generator that keep a client from connecting, whatever the server does. */
export const GENERATOR_LIMITS = ["descriptors", "ports", "memory"] as const;

/** One of the {@linkcode GENERATOR_LIMITS}. */
export type GeneratorLimit = (typeof GENERATOR_LIMITS)[number];

/** A client could not connect, and will try again or give up. */
export interface RefusedEvent {
  readonly event: "refused";
  readonly client: number;
  readonly at: number;
  readonly error: string;
  /** The limit of the generator that caused it; absent if the server or the network did. */
  readonly limit?: GeneratorLimit;
}

/** The server answered a client with an error, or with an invalid frame; `text` is its beginning. */
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

/** A client received a message, answered one that it had received, or received an ok. */
export interface MessageEvent<Kind extends "receive" | "answer" | "ack"> {
  readonly event: Kind;
  readonly client: number;
  readonly at: number;
  readonly message: MessageName;
}

/** Every way in which a connection of a client may end; tables store its index here. */
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

/** The end of a client's connection: a close reason, or `stopped` if the run ended first, as at the deadline. */
export type EndType = CloseType | "stopped";

/** A client's connection ended, as the client saw it. */
export interface CloseEvent {
  readonly event: "close";
  readonly client: number;
  readonly at: number;
  readonly reason: EndType;
  /** More about the reason, for display. */
  readonly detail?: string;
}

/** A fault was injected. */
export interface FaultEvent {
  readonly event: "fault";
  readonly at: number;
  readonly kind: string;
  /** The client, if the fault was at one. */
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

/** One of the processes of a server. */
export interface ServerProcessState {
  /** The process id. */
  readonly pid: number;
  /** Connections that it accepted. */
  readonly accepted: number;
  /** Messages that came from its clients and from other processes; absent if the server does not count them. */
  readonly messages?: number;
}

/** The state of a server, and its counters since its start. */
export interface ServerState {
  /** Open connections. */
  readonly connections: number | null;
  /** Messages without an ok. */
  readonly pending: number | null;
  /** Running timers. */
  readonly timers: number | null;
  /** Bytes that wait to be written. */
  readonly queuedBytes: number | null;
  /** Sockets that it did not have when it began to listen; `null` if they could not be counted. */
  readonly descriptors: number | null;
  /** Ended connections by close reason, such as `natural` or `reset`. */
  readonly closed: Readonly<Record<string, number>>;
  /** Oks that settled nothing; absent if the server does not count them. */
  readonly stray?: number;
  /** Messages delivered again; absent if the server does not count them. */
  readonly redelivered?: number;
  /** The processes of the server, if there are several; all other figures are sums over them. */
  readonly processes?: readonly ServerProcessState[];
  /** Processes that died and were replaced; absent if the server is one process. */
  readonly restarts?: number;
  /** Figures that the server of a scenario reports, and that must be 0. */
  readonly custom?: Readonly<Record<string, number>>;
  /** Why a part of the state could not be read; absent if nothing failed. */
  readonly unread?: string;
}

/** The server's state after the run; `null` if it could not be asked. */
export interface ServerEvent {
  readonly event: "server";
  readonly at: number;
  readonly state: ServerState | null;
}

/** A generator process finished; how late its timers and its socket reads were at the 99th percentile, in ms. */
export interface GeneratorEvent {
  readonly event: "generator";
  readonly process: number;
  readonly loopLag: number;
  readonly socketLag: number;
  /** Its load in the second in which its timers were latest: shares from 0 to 1. Default: unknown. */
  readonly load?: ThreadLoad;
}

/** An agent runs the generator process with this number. */
export interface AgentEvent {
  readonly event: "agent";
  readonly process: number;
  /** Address of the agent. */
  readonly name: string;
  /** Lead of its clock, in ms; all times of its process are corrected by that. */
  readonly offset: number;
  /** Round trip of that measurement, in ms: the offset is off by half of it at most. */
  readonly roundTrip: number;
}

/** A process ended too early: the server, or the generator with that number. */
export interface DiedEvent {
  readonly event: "died";
  readonly at: number;
  readonly process: "server" | number;
  /** Address of the agent that ran the generator. Absent for a process of this machine. */
  readonly agent?: string;
  /** The way in which it ended, such as `exit code 1`. */
  readonly detail: string;
}

/** The server of the load test did not end by itself after the run, and was killed. */
export interface KilledEvent {
  readonly event: "killed";
  readonly at: number;
  /** Why it was killed, such as `did not end within 15s`. */
  readonly detail: string;
}

/** The run stopped: all clients finished, the deadline passed, the server died, a threshold did not hold, or it was interrupted. */
export interface StopEvent {
  readonly event: "stop";
  readonly at: number;
  readonly why: "done" | "deadline" | "died" | "interrupted" | "threshold" | "unreachable";
  /** The threshold that stopped the run. */
  readonly threshold?: string;
}

/** The verdict on the run; the last event. Judging the others again must give the same verdict. */
export interface VerdictEvent {
  readonly event: "verdict";
  readonly verdict: string;
  /** The thresholds that do not hold. */
  readonly crossed: readonly string[];
  /** The number of lines before this one, and their SHA-256 in hexadecimal, each with its LF. */
  readonly lines: number;
  readonly sha256: string;
}

/** One event of a history. */
export type HistoryEvent =
  | RunEvent
  | PlannedEvent
  | StartEvent
  | PaceEvent
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
  | ThrewEvent
  | FaultEvent
  | AcceptedEvent
  | EndedEvent
  | ServerEvent
  | GeneratorEvent
  | AgentEvent
  | DiedEvent
  | KilledEvent
  | StopEvent
  | VerdictEvent;

/** Returns the highest lag of the generators in a valid run, in ms. */
export function maxLagOf({ maxLag = DEFAULT_MAX_LAG }: RunEvent): number {
  return maxLag;
}

/** Length to which a `planned` event truncates a message, in UTF-16 units: enough to recognize it. */
const TEXT_SHOWN = 80;

/** Creates the event of a planned client. A long text is cut, so that the history is not larger than the traffic. */
export function plannedEvent(client: { index: number; startAt: number; text: string }): PlannedEvent {
  const { index, startAt, text } = client;
  const planned: PlannedEvent = { event: "planned", client: index, at: startAt, text };
  return text.length > TEXT_SHOWN
    ? { ...planned, text: text.slice(0, TEXT_SHOWN), length: text.length }
    : planned;
}

/** The events of scenario sessions, as a history has them. Times are in ms from the start of the run. Pure. @module */

/** Every outcome of a request. */
export const ASK_RESULTS = ["ok", "wrong", "truncated", "foreign", "lost", "under-way"] as const;

/**
 * The outcome of a request:
 *
 * - `ok`: the expected reply arrived.
 * - `wrong`: another reply arrived in its place.
 * - `truncated`: only the start of the expected reply arrived.
 * - `foreign`: the reply to another session's request arrived. Only for the first 200 mismatches of a generator process;
 *   later ones are `wrong`.
 * - `lost`: no reply arrived within the timeout, or before the connection ended.
 * - `under-way`: the run ended first.
 */
export type AskResult = (typeof ASK_RESULTS)[number];

/** A request is over, or several that one read answered as expected. */
export interface AskEvent {
  readonly event: "ask";
  readonly client: number;
  /** When its reply arrived, or when the session stopped waiting for one. */
  readonly at: number;
  /** Its number within the session, from 0. */
  readonly ask: number;
  /** Number of requests, `ask` and those that follow it. They have everything else in common. Default 1. */
  readonly count?: number;
  /** The step it belongs to, such as `LOGIN`. */
  readonly step: string;
  /** When it was planned, and when it was sent. */
  readonly due: number;
  readonly sent: number;
  /** Default `ok`. */
  readonly result?: AskResult;
  /** The expected and the actual frame. */
  readonly detail?: string;
}

/** Every kind of frame that is not a reply. */
export const FRAME_KINDS = ["handled", "unexpected", "duplicate"] as const;

/** A frame arrived that is not a reply: one that `on` handles, one that nothing expects, or a reply that arrived twice. */
export interface FrameEvent {
  readonly event: "frame";
  readonly client: number;
  readonly at: number;
  readonly kind: (typeof FRAME_KINDS)[number];
  readonly text: string;
}

/** A session sent a frame that expects no reply. */
export interface PushEvent {
  readonly event: "push";
  readonly client: number;
  readonly at: number;
}

/** A session checked a condition. */
export interface CheckEvent {
  readonly event: "check";
  readonly client: number;
  readonly at: number;
  readonly name: string;
  readonly ok: boolean;
}

/** A session recorded a value of a custom metric. */
export interface MetricEvent {
  readonly event: "metric";
  readonly client: number;
  readonly at: number;
  readonly name: string;
  readonly value: number;
}

/** Every outcome of a session. */
export const SESSION_RESULTS = ["done", "failed", "threw", "unfinished"] as const;

/**
 * A session is over:
 *
 * - `done`: the scenario ran to its end.
 * - `failed`: a request failed, and the scenario did not catch its error.
 * - `threw`: the scenario threw an error of its own.
 * - `unfinished`: the run ended first.
 */
export interface SessionEvent {
  readonly event: "session";
  readonly client: number;
  readonly at: number;
  readonly result: (typeof SESSION_RESULTS)[number];
  /**
   * The error with its file and line, or the step at which the run ended. Absent if another event has the reason: the
   * request that failed, or the connection that could not be made.
   */
  readonly detail?: string;
}

/** A generator process started messages late, or could not start them. */
export interface ShapeEvent {
  readonly event: "shape";
  readonly process: number;
  /** Lag with which the generator started messages, at the 99th percentile, in ms. */
  readonly lag: number;
  /** Messages that were planned, and those that `--in-flight` held back for longer than the lag limit. */
  readonly planned: number;
  readonly heldBack: number;
  /** Messages that were never started. */
  readonly notSent: number;
}

/** A part of a scenario that belongs to no session threw an error, or did not finish. */
export interface ThrewEvent {
  readonly event: "threw";
  readonly at: number;
  /** The part, and what happened: `teardown() threw Error: no database at kv.ts:9:3`. */
  readonly detail: string;
}

/** An event of a scenario session. */
export type ScenarioEvent = AskEvent | FrameEvent | PushEvent | CheckEvent | MetricEvent | SessionEvent;

/** The result of a rule about causes, and the words that rules share. Pure. @module */
import { formatDuration, MAX_DURATION } from "../../../internal/duration.ts";
import { describeLeftover, describeUnread } from "../checks.ts";
import type { FindingKind } from "../findings.ts";
import { leftoversOf } from "../leftovers.ts";
import type { Evidence } from "./evidence.ts";

/** The kinds of causes. */
export type CauseKind =
  /** No client ever connected. */
  | "unreachable"
  /** The server of the load test ended during the run. */
  | "server-ended"
  /** Processes of the server ended, and were replaced. */
  | "server-restarted"
  /** A generator process of an agent ended during the run. */
  | "generator-ended"
  /** From some instant on, no client could connect. */
  | "stopped-accepting"
  /** Clients could not connect, and nothing else failed. */
  | "not-connected"
  /** The server answered with errors. */
  | "error-replies"
  /** The server answered with other texts than the messages. */
  | "wrong-replies"
  /** The server ended connections before its reply. */
  | "closed-early"
  /** The server never replied. */
  | "no-replies"
  /** From some instant on, the server did not reply. */
  | "stopped-replying"
  /** The relay delivered messages to no client. */
  | "not-delivered"
  /** The relay returned no ok for messages that clients had answered. */
  | "not-acknowledged"
  /** The server did not reply to some requests. */
  | "missing-replies";

/** The likely cause of a failed run. */
export interface Cause {
  /** Its kind. */
  readonly kind: CauseKind;
  /** A sentence with its evidence, without a final period. */
  readonly text: string;
}

/** A cause, and the findings that follow from it. */
export interface FoundCause extends Cause {
  /** Kinds of which every finding follows. */
  readonly kinds: readonly FindingKind[];
  /** Texts of other findings that follow. */
  readonly texts: readonly string[];
}

/** Returns the cause that the evidence shows, if it shows the one that this rule is about. */
export type Rule = (evidence: Evidence) => FoundCause | undefined;

/** The finding about a state that could not be read. */
export function unread({ facts }: Evidence): string[] {
  return facts.server?.unread === undefined ? [] : [describeUnread(facts.server.unread)];
}

/** The finding about pending messages, if there are no more than clients have without an ok. */
export function pending({ facts, withoutOk }: Evidence): string[] {
  const left = facts.server?.pending ?? 0;
  if (left > withoutOk.total) return [];
  const none = { connections: 0, timers: 0, queuedBytes: 0, descriptors: 0 };
  return leftoversOf({ ...none, pending: left }).map(describeLeftover);
}

/** Says when something happened. */
export function inRun(at: number): string {
  return `${duration(at)} after the start`;
}

/** Formats a time in ms. A history may contain any number. */
export function duration(ms: number): string {
  return formatDuration(Math.min(MAX_DURATION, Math.max(0, Math.round(ms))));
}

/** Formats a number of things. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}

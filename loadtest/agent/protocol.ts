/**
 * The lines between a load test and its agents. A connection runs one generator process. After `auth TOKEN`, each line is
 * an object of JSON with an `event`. Pure.
 *
 * @module
 */

/** Version of this protocol. Both sides must have the same, and the same version of the program. */
export const AGENT_PROTOCOL = 2;

/** A file that a scenario needs, by its name beside the scenario. */
export interface AgentFile {
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, in hexadecimal. */
  readonly sha256: string;
}

/** A message to an agent. */
export type ToAgent =
  /** The first one. The agent runs one load test at a time. */
  | { readonly event: "hello"; readonly protocol: number; readonly version: string; readonly run: string }
  /** Asks for the time. */
  | { readonly event: "clock" }
  | { readonly event: "file" } & AgentFile
  /** Starts the process. The scenario, if there is one, is the file of this name. */
  | { readonly event: "start"; readonly scenario?: string }
  /** A line for the process. */
  | { readonly event: "order"; readonly line: string }
  /** Asks for the events that the process has written, once it has ended. */
  | { readonly event: "history" }
  /** Ends the process, which has this time in ms to send its ledger. */
  | { readonly event: "stop"; readonly grace: number };

/** A message from an agent, besides the lines of its process. */
export type FromAgent =
  | { readonly event: "hello"; readonly version: string }
  /** The time of the agent, in ms since 1970. */
  | { readonly event: "clock"; readonly now: number }
  /** Sent every second: the agent is there. */
  | { readonly event: "alive" }
  /** The process has ended. */
  | { readonly event: "end"; readonly code: number; readonly signal: string | null }
  /** Some lines of its history, and whether they are the last. */
  | { readonly event: "history"; readonly lines: readonly string[]; readonly last: boolean };

/** Time in ms between two signs of life of an agent, and the silence after which it is taken for dead. */
export const ALIVE_INTERVAL = 1000;
export const SILENCE_LIMIT = 10_000;

/** Longest line, in bytes: the order of a process has the lines of a payload file. */
export const MAX_AGENT_LINE = 256 * 1024 * 1024;

/** Bytes that may wait to be written: the order, or a part of a ledger. */
export const AGENT_WRITE_BUFFER = 2 * MAX_AGENT_LINE;

const NAME = /^(?![/\\])(?!.*(^|[/\\])\.\.([/\\]|$))[^\0]{1,255}$/;

/** Whether a file of this name stays in the folder of its scenario. */
export function isInnerName(name: string): boolean {
  return NAME.test(name);
}

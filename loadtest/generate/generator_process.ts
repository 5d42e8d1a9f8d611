/** A process that runs a part of the clients, here or on an agent. @module */
import { type ChildEnd, type ChildMessage, ChildProcess, describeEnd } from "../process/child_process.ts";

/** The end of a generator process; with `detail` if its agent is gone, so that the rest is unknown. */
export type GeneratorEnd = ChildEnd | { readonly detail: string };

/** A running generator process. */
export interface GeneratorProcess {
  /** Settles when it has ended and all its messages have been received. */
  readonly ended: Promise<GeneratorEnd>;
  /** The agent that runs it, and its clock. Absent for a process of this machine. */
  readonly agent?: {
    readonly name: string;
    /** Lead of the agent's clock, in ms. */
    readonly offset: number;
    /** Round trip of that measurement, in ms. */
    readonly roundTrip: number;
  };
  /** Whether it hung, so that {@linkcode GeneratorProcess.terminate} had to kill it. Absent for a process of an agent. */
  readonly killed?: boolean;
  /** Sends it a line. Does nothing if it has ended. */
  send(line: string): Promise<void>;
  /** Lets it end, and kills it after `grace` ms. */
  terminate(grace: number): void;
  /**
   * Passes on the events that it has written on another machine, once it has ended. Absent for a process of this
   * machine, whose file is here. Rejects if they are lost.
   */
  history?(onLines: (lines: readonly string[]) => void): Promise<void>;
  /** Ends the connection to its agent, once it has ended. Absent for a process of this machine. */
  close?(): Promise<void>;
}

/** Starts the generator process of a number, from 0. */
export type StartGenerator = (
  number: number,
  onMessage: (message: ChildMessage) => void,
) => Promise<GeneratorProcess>;

/** Starts generator processes on this machine. */
export function localGenerators(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): StartGenerator {
  return (_, onMessage) => Promise.resolve(new ChildProcess({ command, env, onMessage }));
}

/** Describes an end: `exit code 1`, or why it is not known. */
export function describeGeneratorEnd(end: GeneratorEnd): string {
  return "detail" in end ? end.detail : describeEnd(end);
}

/** A program's command line, as data. Pure. @module */
import type { Option } from "./option.ts";

/**
 * Options (or positionals, in their order) by name: `maxLine` is `--max-line`. Tables compose by spreading:
 * `{ ...commonOptions, delay: duration({ … }) }`.
 */
export type OptionTable = { readonly [name: string]: Option<unknown> };

/** The values of a table. */
export type Values<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

/** A command line for `--help`, without the program's name, and what it does. */
export type Example = readonly [args: string, does: string];

/** One way to run a program: a service of the server, a client, a load test. */
export interface Command {
  /** A summary, as an imperative in one line. */
  readonly summary: string;
  /** Words after the command, in order; only the last may be repeatable. */
  readonly positionals?: OptionTable;
  readonly options: OptionTable;
  /** Advice for options that only other commands have, by their names, such as `name the port in the URL`. */
  readonly instead?: Readonly<Record<string, string>>;
  readonly examples: readonly [Example, Example, ...Example[]];
}

/** Commands by name. */
export type Commands = { readonly [name: string]: Command };

/** A program: several commands, chosen by the first word. */
export interface Program {
  /** The name that users call it by: `server.ts`. */
  readonly name: string;
  /** The command that starts it, for examples. Default: its name. */
  readonly invocation?: string;
  /** Its purpose, in one line. */
  readonly summary: string;
  readonly version: string;
  /** The word for a command in help and errors, like `service`. */
  readonly commandNoun: string;
  readonly commands: Commands;
  /** The command if none is named. */
  readonly defaultCommand: string;
}

/** A parsed command line: the command by name, with its options and positionals. */
export type CommandLine<Commands extends Readonly<Record<string, Command>>> = {
  readonly [K in keyof Commands]: {
    readonly command: K;
    readonly options: Values<Commands[K]["options"]>;
    /** The names of the options that are on the command line; not those whose values are from the environment. */
    readonly given: ReadonlySet<string>;
    readonly positionals: Commands[K] extends { readonly positionals: infer P extends OptionTable }
      ? Values<P>
      : Readonly<Record<never, never>>;
  };
}[keyof Commands];

/** Returns `maxLine` as users write it: `max-line`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Returns the name of a positional in help and errors: `FILE`. */
export function positionalName(key: string): string {
  return optionName(key).toUpperCase();
}

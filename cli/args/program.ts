/** What a program takes on its command line, as data. Pure. @module */
import type { Option } from "./option.ts";

/**
 * Options (or positionals, in their order) by name: `maxLine` is `--max-line`. Tables compose by spreading:
 * `{ ...commonOptions, delay: duration({ … }) }`.
 */
export type OptionTable = { readonly [name: string]: Option<unknown> };

/** What the program gets for a table. */
export type Values<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

/** A command line to show in `--help`, without the program's name, and what it does. */
export type Example = readonly [args: string, does: string];

/** A way to run a program: a service of the server, a client for one, a load test. */
export interface Command {
  /** What it does, in a line. */
  readonly summary: string;
  /** Words after the command, in order; only the last may be repeatable. */
  readonly positionals?: OptionTable;
  readonly options: OptionTable;
  readonly examples: readonly [Example, Example, ...Example[]];
}

/** Commands by the word that names each. */
export type Commands = { readonly [name: string]: Command };

/** A program: one of several commands, named by its first word. */
export interface Program {
  /** As it is called, `server.ts`. */
  readonly name: string;
  /** What it is for, in a line. */
  readonly summary: string;
  readonly version: string;
  /** What a command is called in help and errors, as `service`. */
  readonly commandNoun: string;
  readonly commands: Commands;
  /** The command where none is named. */
  readonly defaultCommand: string;
}

/** A command line understood: the command by name, with its options and positionals. */
export type CommandLine<Commands extends Readonly<Record<string, Command>>> = {
  readonly [K in keyof Commands]: {
    readonly command: K;
    readonly options: Values<Commands[K]["options"]>;
    readonly positionals: Commands[K] extends { readonly positionals: infer P extends OptionTable }
      ? Values<P>
      : Readonly<Record<never, never>>;
  };
}[keyof Commands];

/** `maxLine` as it is written on a command line: `max-line`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How an option is given, for help and errors: `--port N`, `--json`, or `--no-redeliver` for what is on by default. */
export function optionUsage(key: string, option: Option<unknown>): string {
  const name = optionName(key);
  if (option.kind === "flag") return option.settings.default === true ? `--no-${name}` : `--${name}`;
  return `--${name} ${option.placeholder}`;
}

/** What stands for a positional in help and errors: `FILE`. */
export function positionalName(key: string): string {
  return optionName(key).toUpperCase();
}

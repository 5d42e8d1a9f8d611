/**
 * Reads a command line and the environment by a {@linkcode Program}'s tables. Pure: both are passed in.
 *
 * `parseArgs` of `node:util` splits the command line into tokens. It reports how each option was written, so that
 * nothing here depends on its guesses about unknown options.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Environment } from "./environment.ts";
import { UsageError } from "../terminal/exit.ts";
import { commandHelp, programHelp } from "./help.ts";
import { flag, group, type Option } from "./option.ts";
import { quoted } from "../../internal/printable.ts";
import {
  type Command,
  type CommandLine,
  type Commands,
  optionName,
  type OptionTable,
  type Program,
} from "./program.ts";
import { nearest } from "./suggest.ts";
import { describeMissing, readOption, readPositionals } from "./values.ts";

/** A command line that asks only for a text: help, or the version. */
export interface ParseResult {
  readonly text: string;
}

/** The inputs of {@linkcode parseCommandLine}. */
export interface CommandLineInput {
  /** The command line, without the program. */
  readonly args: readonly string[];
  readonly environment: Environment;
}

/** Options of every command. */
const BUILT_IN: OptionTable = group("Output", {
  help: flag({ help: "Print this help and exit" }),
  version: flag({ help: "Print the version and exit" }),
});

/**
 * Parses a command line. Its options take precedence over the environment, which takes precedence over the defaults.
 *
 * @returns The command with its options and positionals, typed by the tables; or the text for `--help` or `--version`,
 * which the caller prints.
 * @throws {UsageError} In one line, what is invalid and what is accepted.
 *
 * @example
 * ```ts
 * import { parseCommandLine } from "./parse.ts";
 * import { duration, port } from "./option.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const program = {
 *   name: "server.ts",
 *   summary: "A server",
 *   version: "1.0.0",
 *   commandNoun: "service",
 *   defaultCommand: "echo",
 *   commands: {
 *     echo: {
 *       summary: "Send back each line",
 *       options: {
 *         port: port({ help: "Port to listen on", default: 8080, environment: "SERVER_PORT" }),
 *         idleTimeout: duration({ help: "Close connections idle for this long" }),
 *       },
 *       examples: [["echo", "Echo on port 8080"], ["echo --port 0", "Echo on a free port"]],
 *     },
 *   },
 * } as const;
 * const line = parseCommandLine(program, { args: ["--idle-timeout", "5s"], environment: () => undefined });
 * assert(!("text" in line));
 * assertEquals(line.options, { port: 8080, idleTimeout: 5000 });
 * ```
 */
export function parseCommandLine<const P extends Program>(
  program: P,
  { args, environment }: CommandLineInput,
): CommandLine<P["commands"]> | ParseResult {
  const line = split(args, allOptions(program.commands));
  // A word after `--` is never a command.
  const word = line.words.length > line.literal ? line.words[0] : undefined;
  const named = word !== undefined && Object.hasOwn(program.commands, word) ? word : undefined;
  const name = named ?? program.defaultCommand;
  const command = commandOf(program, name);
  const isOn = (option: string): boolean => line.given.get(option)?.at(-1) === "true";
  if (isOn("help")) {
    return {
      text: named === undefined ? programHelp(program, BUILT_IN) : commandHelp(program, name, BUILT_IN),
    };
  }
  if (isOn("version")) return { text: `${program.name} ${program.version}` };
  assertKnown(program, name, line);
  if (word !== undefined && named === undefined && !takes(command, line.words.length)) {
    const names = Object.keys(program.commands);
    throw new UsageError(
      `Unknown ${program.commandNoun} ${quoted(word)}${hint(nearest(word, names))}; expected ${
        names.join(", ")
      }`,
    );
  }
  const values = Object.entries(command.options).map(([key, option]) => {
    const long = optionName(key);
    return [key, readOption({ name: `--${long}`, option, texts: line.given.get(long) ?? [], environment })];
  });
  const given = new Set(Object.keys(command.options).filter((key) => line.given.has(optionName(key))));
  const words = named === undefined ? line.words : line.words.slice(1);
  const positionals = readPositionals(command.positionals ?? {}, words);
  // By the very tables that the type is computed from, which the compiler cannot follow.
  return { command: name, options: Object.fromEntries(values), given, positionals } as unknown as CommandLine<
    P["commands"]
  >;
}

/** Whether a command takes this many words: without it, the first one must have been meant as a command. */
function takes({ positionals = {} }: Command, words: number): boolean {
  const table = Object.values(positionals);
  return table.length > 0 && (words <= table.length || table.at(-1)?.settings.repeatable === true);
}

/** A command line split by options and words, before its command is chosen. */
interface SplitLine {
  /** The texts given for each option by its long name; `true` and `false` for a flag. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  /** The number of `words`, at the end, that come after `--`. */
  readonly literal: number;
  /** The first unknown option as it was written, without its value. */
  readonly unknown: string | undefined;
}

function split(args: readonly string[], options: ReadonlyMap<string, NamedOption>): SplitLine {
  const config = Array.from(options, ([name, { option }]) =>
    [name, {
      type: option.kind === "flag" ? "boolean" : "string",
      ...(name === "help" ? { short: "h" } : {}),
    }] as const);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(config),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const words: string[] = [];
  let literalFrom: number | undefined;
  let unknown: string | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") literalFrom = words.length;
    else if (token.kind === "positional") words.push(token.value);
    else {
      const setting = settingOf(token, options);
      if (setting === undefined) unknown ??= args[token.index]?.replace(/=.*$/s, "");
      else given.set(setting.name, [...given.get(setting.name) ?? [], setting.text]);
    }
  }
  return { given, words, literal: words.length - (literalFrom ?? words.length), unknown };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Returns the long name and text that a token sets, or `undefined` for an unknown option. */
function settingOf(
  { name, rawName, value, inlineValue }: OptionToken,
  options: ReadonlyMap<string, NamedOption>,
): { name: string; text: string } | undefined {
  if (rawName !== `--${name}` && rawName !== "-h") return undefined;
  const named = options.get(name);
  if (named === undefined) {
    const positive = name.replace(/^no-/, "");
    const negated = positive !== name && value === undefined ? options.get(positive) : undefined;
    return negated?.option.kind === "flag" ? { name: negated.name, text: "false" } : undefined;
  }
  const { option } = named;
  if (option.kind === "flag") return { name: named.name, text: value ?? "true" };
  if (value !== undefined && (inlineValue || !value.startsWith("--"))) {
    return { name: named.name, text: value };
  }
  const example = value === undefined ? "" : `; write a value like ${quoted(value)} as --${name}=VALUE`;
  const expected = describeMissing(option, `--${named.name} `);
  throw new UsageError(`Cannot use --${name} without a value: expected ${expected}${example}`);
}

function commandOf(program: Program, name: string): Command {
  const command = program.commands[name];
  if (command === undefined) {
    throw new TypeError(`${program.name} has no ${program.commandNoun} ${quoted(name)}`);
  }
  return command;
}

/** An option and its present name. */
interface NamedOption {
  readonly name: string;
  readonly option: Option<unknown>;
}

/**
 * Returns the options of all commands by long name, present or former, which show the options with a value before a command
 * is chosen.
 */
function allOptions(commands: Commands): Map<string, NamedOption> {
  const all = new Map<string, NamedOption>();
  for (const table of [BUILT_IN, ...Object.values(commands).map((command) => command.options)]) {
    for (const [key, option] of Object.entries(table)) {
      const name = optionName(key);
      if ((all.get(name)?.option ?? option).kind !== option.kind) {
        throw new TypeError(`Option --${name} takes a value in one command and none in another`);
      }
      const { formerName } = option.settings;
      all.set(name, { name, option });
      if (formerName !== undefined) all.set(formerName, { name, option });
    }
  }
  return all;
}

function assertKnown(program: Program, name: string, { given, unknown }: SplitLine): void {
  const namesOf = (command: string): string[] =>
    Object.keys(commandOf(program, command).options).map(optionName);
  const known = [...namesOf(name), ...Object.keys(BUILT_IN)];
  const help = `see ${program.name} ${name} --help`;
  if (unknown !== undefined) {
    const bare = unknown.replace(/^-+/, "");
    const meant = nearest(bare, known) ?? nearest(bare.replace(/^no-/, ""), known);
    throw new UsageError(`Unknown option ${quoted(unknown)}${hint(meant && `--${meant}`)}; ${help}`);
  }
  for (const option of given.keys()) {
    if (known.includes(option)) continue;
    const owners = Object.keys(program.commands).filter((other) => namesOf(other).includes(option));
    const why = commandOf(program, name).instead?.[option] ?? `it is an option of ${owners.join(", ")}`;
    throw new UsageError(`Cannot use --${option} with ${program.commandNoun} ${name}: ${why}; ${help}`);
  }
}

function hint(meant: string | undefined): string {
  return meant ? ` (did you mean ${meant}?)` : "";
}

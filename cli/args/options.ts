/**
 * Reads a command line and the environment by a {@linkcode Program}'s tables. Pure: both are handed in.
 *
 * @module
 */
import { type Arguments, splitArguments } from "./parse.ts";
import type { Environment } from "./environment.ts";
import { UsageError } from "../terminal/exit.ts";
import { commandHelp, programHelp } from "./help.ts";
import { flag, type Option } from "./option.ts";
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
import { readOption, readPositionals } from "./values.ts";

/** A command line that only asked for a text: help, or the version. */
export interface ParseResult {
  readonly text: string;
}

/** What a program is told when it starts. */
export interface ParsedCommand {
  /** The command line, without the program. */
  readonly args: readonly string[];
  readonly environment: Environment;
}

/** What every command takes without saying so. */
const BUILT_IN: OptionTable = {
  help: flag({ help: "Print this and exit" }),
  version: flag({ help: "Print the version and exit" }),
};

/**
 * Reads what a program was told. The command line comes before the environment, and that before the defaults.
 *
 * @returns The command with its options and positionals, typed by the tables; or the text that was asked for
 * (`--help`, `--version`), which the caller prints.
 * @throws {UsageError} With one line that names what cannot be understood, and what is accepted.
 *
 * @example
 * ```ts
 * import { parseCommandLine } from "./options.ts";
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
 *       summary: "Sends back what it gets",
 *       options: {
 *         port: port({ help: "Port to listen on", default: 8080, environment: "SERVER_PORT" }),
 *         idleTimeout: duration({ help: "Close a peer that is silent for so long" }),
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
  told: ParsedCommand,
): CommandLine<P["commands"]> | ParseResult {
  const split = splitArguments(told.args, allOptions(program.commands));
  const named = namedCommand(program, split);
  const name = named ?? program.defaultCommand;
  const command = commandOf(program, name);
  if (asks(split, "help")) {
    return {
      text: named === undefined ? programHelp(program, BUILT_IN) : commandHelp(program, name, BUILT_IN),
    };
  }
  if (asks(split, "version")) return { text: `${program.name} ${program.version}` };
  refuseUnknown(program, name, split);
  if (named === undefined) refuseWord(program, split);
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(command.options)) {
    const texts = split.given.get(optionName(key)) ?? [];
    options[key] = readOption({ name: `--${optionName(key)}`, option, texts, environment: told.environment });
  }
  const words = named === undefined ? split.words : split.words.slice(1);
  const positionals = readPositionals(command.positionals ?? {}, words);
  // Built key by key from the tables that the type is computed from, which the compiler cannot follow.
  return { command: name, options, positionals } as unknown as CommandLine<P["commands"]>;
}

function commandOf(program: Program, name: string): Command {
  const command = program.commands[name];
  if (command === undefined) {
    throw new TypeError(`${program.name} has no ${program.commandNoun} ${quoted(name)}`);
  }
  return command;
}

/** The options of all commands by the name they are written with: which of them take a value, before one is chosen. */
function allOptions(commands: Commands): Map<string, Option<unknown>> {
  const all = new Map<string, Option<unknown>>();
  for (const table of [BUILT_IN, ...Object.values(commands).map((command) => command.options)]) {
    for (const [key, option] of Object.entries(table)) {
      const name = optionName(key);
      if ((all.get(name) ?? option).kind !== option.kind) {
        throw new TypeError(`Option --${name} takes a value in one command and none in another`);
      }
      all.set(name, option);
    }
  }
  return all;
}

function asks(split: Arguments, name: string): boolean {
  return split.given.get(name)?.at(-1) === "true";
}

/** The command that the first word names; `undefined` where it names none. */
function namedCommand(program: Program, split: Arguments): string | undefined {
  const word = split.words.length > split.literal ? split.words[0] : undefined;
  return word !== undefined && Object.hasOwn(program.commands, word) ? word : undefined;
}

function refuseWord(program: Program, split: Arguments): void {
  const [word] = split.words;
  if (word === undefined || split.words.length === split.literal) return;
  if (commandOf(program, program.defaultCommand).positionals !== undefined) return;
  const names = Object.keys(program.commands);
  throw new UsageError(
    `Unknown ${program.commandNoun} ${quoted(word)}${suggestion(nearest(word, names))}; there is ${
      names.join(", ")
    }`,
  );
}

function refuseUnknown(program: Program, name: string, split: Arguments): void {
  const known = [...Object.keys(commandOf(program, name).options), ...Object.keys(BUILT_IN)].map(optionName);
  const unknown = split.unknown[0];
  if (unknown !== undefined) {
    const bare = unknown.replace(/^-+/, "");
    const meant = nearest(bare, known) ?? nearest(bare.replace(/^no-/, ""), known);
    throw new UsageError(
      `Unknown option ${quoted(unknown)}${
        suggestion(meant && `--${meant}`)
      }; see ${program.name} ${name} --help`,
    );
  }
  for (const given of split.given.keys()) {
    if (known.includes(given)) continue;
    const owners = Object.keys(program.commands).filter((other) =>
      Object.keys(commandOf(program, other).options).some((key) => optionName(key) === given)
    );
    throw new UsageError(
      `Option --${given} is not one of ${program.commandNoun} ${name}, but of ${owners.join(", ")}; ` +
        `see ${program.name} ${name} --help`,
    );
  }
}

function suggestion(meant: string | undefined): string {
  return meant ? ` (did you mean ${meant}?)` : "";
}

/** Splits a command line into options and words. Pure. @module */
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../terminal/exit.ts";
import type { Option } from "./option.ts";
import { quoted } from "../../internal/printable.ts";

/** A command line, split but not yet understood. */
export interface Arguments {
  /** The texts given for each option, by the name it is written with; `true` and `false` for a flag. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** What is no option, in order. */
  readonly words: readonly string[];
  /** How many of `words`, at the end, came after `--`. */
  readonly literal: number;
  /** Options that nobody knows, as they were written, without their value. */
  readonly unknown: readonly string[];
}

/**
 * Splits `args`.
 *
 * @param args The command line, without the program.
 * @param options The options there are, by the name each is written with.
 * @throws {UsageError} An option that takes a value comes without one.
 */
export function splitArguments(
  args: readonly string[],
  options: ReadonlyMap<string, Option<unknown>>,
): Arguments {
  const names = [...options.keys()];
  const { spelt, unknown } = spellOut(args, options);
  const parsed = parseArgs(spelt, { string: [...names, "_"], collect: names, "--": true });
  const given = new Map<string, readonly string[]>();
  for (const name of names) {
    const texts = parsed[name] as readonly string[];
    if (texts.length > 0) given.set(name, texts);
  }
  const literal = parsed["--"] as readonly string[];
  return { given, words: [...parsed._.map(String), ...literal], literal: literal.length, unknown };
}

/**
 * Writes every option as `--name=value`, the one form that `parseArgs` reads without guessing, and sets apart those
 * that nobody knows. Left alone, it takes the `-5` of `--offset -5` for an option, the word after an unknown option
 * for its value, `--no-offset=1` for `--offset=1`, and cannot tell an empty value from a missing one.
 */
function spellOut(
  args: readonly string[],
  options: ReadonlyMap<string, Option<unknown>>,
): { spelt: string[]; unknown: string[] } {
  const spelt: string[] = [];
  const unknown: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      spelt.push(...args.slice(i));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      spelt.push(arg);
      continue;
    }
    const written = arg.replace(/=.*$/s, "");
    const name = written === "-h" ? "help" : written.startsWith("--") ? written.slice(2) : "";
    const option = options.get(name);
    const negated = name.startsWith("no-") ? options.get(name.slice(3)) : undefined;
    if (option !== undefined && written !== arg) {
      spelt.push(`--${name}${arg.slice(written.length)}`);
    } else if (option?.kind === "flag") {
      spelt.push(`--${name}=true`);
    } else if (option?.kind === "value") {
      spelt.push(`--${name}=${requireValue({ name, option, next: args[++i] })}`);
    } else if (negated?.kind === "flag" && written === arg) {
      spelt.push(`--${name.slice(3)}=false`);
    } else {
      unknown.push(written);
    }
  }
  return { spelt, unknown };
}

function requireValue(asked: { name: string; option: Option<unknown>; next: string | undefined }): string {
  const { name, option, next } = asked;
  if (next !== undefined && !next.startsWith("--")) return next;
  const hint = next === undefined ? "" : `; a value like ${quoted(next)} is written --${name}=VALUE`;
  throw new UsageError(`Option --${name} needs a value: ${option.accepts}${hint}`);
}

/** Turns the texts given for options and positionals into values, and fills in what was not given. Pure. @module */
import type { Environment } from "./environment.ts";
import { UsageError } from "../terminal/exit.ts";
import type { Option, Variable } from "./option.ts";
import { quoted } from "../../internal/printable.ts";
import { type OptionTable, positionalName } from "./program.ts";

/** One option, and what was said about it. */
export interface ParsedValue {
  /** How it is called in errors: `--port`. */
  readonly name: string;
  readonly option: Option<unknown>;
  /** The texts given for it on the command line, in order. */
  readonly texts: readonly string[];
  readonly environment: Environment;
}

/**
 * The value of an option: from the command line, else from the environment, else its default.
 *
 * @throws {UsageError} A text cannot be read, there are too many of them, or one is missing.
 */
export function readOption(told: ParsedValue): unknown {
  const { name, option, texts } = told;
  const { settings } = option;
  if (texts.length > 1 && settings.repeatable !== true) {
    throw new UsageError(
      `Option ${name} is given ${texts.length} times, and takes one value: ${option.accepts}`,
    );
  }
  const values = texts.length > 0
    ? texts.map((text) => readText({ where: `for ${name}`, option, text }))
    : readEnvironment(told);
  return settle(values, option) ?? missing(`Option ${name} is required`, option);
}

/**
 * The values of the words after a command.
 *
 * @throws {UsageError} A word cannot be read, there are too many of them, or one is missing.
 */
export function readPositionals(table: OptionTable, words: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const rest = [...words];
  for (const [key, option] of Object.entries(table)) {
    const name = positionalName(key);
    const texts = rest.splice(0, option.settings.repeatable === true ? rest.length : 1);
    const read = texts.map((text) => readText({ where: `for ${name}`, option, text }));
    values[key] = settle(read, option) ?? missing(`${name} is missing`, option);
  }
  if (rest.length > 0) {
    const names = Object.keys(table).map(positionalName);
    const accepted = names.length === 0 ? "takes none" : `takes ${names.join(" ")}`;
    throw new UsageError(`Unexpected argument ${quoted(rest[0] ?? "")}: the command ${accepted}`);
  }
  return values;
}

/** What the option is with these values, `undefined` if it is nothing. */
function settle(values: readonly unknown[], option: Option<unknown>): unknown {
  const { repeatable, required, default: fallback } = option.settings;
  if (values.length > 0) return repeatable === true ? values : values[0];
  return fallback ?? (repeatable === true && required !== true ? [] : undefined);
}

function missing(what: string, { settings, accepts }: Option<unknown>): undefined {
  if (settings.required === true) throw new UsageError(`${what} (${settings.help}): ${accepts}`);
  return undefined;
}

function readEnvironment(told: ParsedValue): unknown[] {
  const { option, environment } = told;
  const { environment: declared = [], repeatable, secret } = option.settings;
  for (const variable of typeof declared === "string" ? [declared] : declared) {
    const { name, parse }: Variable<unknown> = typeof variable === "string"
      ? { name: variable, parse: option.parse }
      : variable;
    const text = environment(name);
    if (text === undefined || text === "" && secret !== true) continue;
    const texts = repeatable === true ? text.split(",").map((part) => part.trim()) : [text];
    return texts.map((part) => readText({ where: `in ${name}`, option: { ...option, parse }, text: part }));
  }
  return [];
}

function readText(told: { where: string; option: Option<unknown>; text: string }): unknown {
  const { where, option, text } = told;
  try {
    return option.parse(text);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    // The message shows the value, and the cause carries it along.
    if (option.settings.secret === true) {
      throw new UsageError(`Bad value ${where}: Expected ${option.accepts}`);
    }
    throw new UsageError(`Bad value ${where}: ${error.message}`, { cause: error });
  }
}

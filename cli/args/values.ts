/** Converts the texts given for options and positionals to values, and fills in defaults. Pure. @module */
import type { Environment } from "./environment.ts";
import { UsageError } from "../terminal/exit.ts";
import type { Option } from "./option.ts";
import { quoted } from "../../internal/printable.ts";
import { type OptionTable, positionalName } from "./program.ts";

/** One option and the texts given for it. */
export interface GivenOption {
  /** The name in errors: `--port`. */
  readonly name: string;
  readonly option: Option<unknown>;
  /** The texts on the command line, in order. */
  readonly texts: readonly string[];
  readonly environment: Environment;
}

/**
 * Returns the value of an option: from the command line, else from the environment, else its default.
 *
 * @throws {UsageError} A text is invalid, there are too many of them, or a required one is missing.
 */
export function readOption(given: GivenOption): unknown {
  const { name, option, texts } = given;
  if (texts.length > 1 && option.settings.repeatable !== true) {
    throw new UsageError(`Cannot use ${name} ${texts.length} times: expected one value, ${option.accepts}`);
  }
  const values = texts.length > 0
    ? texts.map((text) => readText(name, option, text))
    : readEnvironment(given);
  return settle(values, option, { called: `option ${name}`, before: `${name} ` });
}

/**
 * Returns the values of the words after a command.
 *
 * @throws {UsageError} A word is invalid, there are too many of them, or a required one is missing.
 */
export function readPositionals(table: OptionTable, words: readonly string[]): Record<string, unknown> {
  const rest = [...words];
  const values = Object.entries(table).map(([key, option]) => {
    const name = positionalName(key);
    const texts = rest.splice(0, option.settings.repeatable === true ? rest.length : 1);
    return [
      key,
      settle(texts.map((text) => readText(name, option, text)), option, {
        called: `argument ${name}`,
        before: "",
      }),
    ];
  });
  if (rest.length > 0) {
    const expected = Object.keys(table).map(positionalName).join(" ") || "none";
    throw new UsageError(`Unexpected argument ${quoted(rest[0] ?? "")}: expected ${expected}`);
  }
  return Object.fromEntries(values);
}

/** An option or positional in errors. */
interface Naming {
  /** Such as `option --root`. */
  readonly called: string;
  /** The text before its value, such as `--root `. */
  readonly before: string;
}

function settle(
  values: readonly unknown[],
  option: Option<unknown>,
  { called, before }: Naming,
): unknown {
  const { repeatable = false, required = false, default: fallback, help } = option.settings;
  if (values.length > 0) return repeatable ? values : values[0];
  if (fallback === undefined && required) {
    throw new UsageError(`Missing ${called} (${help}): expected ${describeMissing(option, before)}`);
  }
  return fallback ?? (repeatable ? [] : undefined);
}

/**
 * Describes the value that is missing.
 *
 * @param before The text before the value, such as `--root `.
 */
export function describeMissing({ settings: { example }, accepts }: Option<unknown>, before: string): string {
  return example === undefined ? accepts : `a value, as in ${before}${example}`;
}

function readEnvironment({ option, environment }: GivenOption): unknown[] {
  const { environment: declared = [], repeatable, secret } = option.settings;
  for (const variable of [declared].flat()) {
    const { name, parse } = typeof variable === "string" ? { name: variable, parse: option.parse } : variable;
    const text = environment(name);
    if (text === undefined || text === "" && secret !== true) continue;
    const texts = repeatable === true ? text.split(",").map((part) => part.trim()) : [text];
    return texts.map((part) => readText(name, { ...option, parse }, part));
  }
  return [];
}

function readText(name: string, option: Option<unknown>, text: string): unknown {
  try {
    return option.parse(text);
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    // The message of a parser shows the value, and so does the cause that carries it.
    if (option.settings.secret === true) {
      throw new UsageError(`Cannot use ${name}: expected ${option.accepts}`);
    }
    // Parsers of the library say what they cannot use in their own words; here it is the value of the option.
    const [, value, rest] = /^Cannot use [a-z ]+ ("(?:[^"\\]|\\.)*"): (.+)$/s.exec(cause.message) ?? [];
    if (value !== undefined) throw new UsageError(`Cannot use ${name} ${value}: ${rest}`, { cause });
    const why = cause.message.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
    throw new UsageError(`Cannot use ${name}: ${why}`, { cause });
  }
}

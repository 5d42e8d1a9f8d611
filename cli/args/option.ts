/**
 * The kinds of options and positionals. Each option is one entry of a table, which drives parsing, help, environment,
 * and defaults. Pure.
 *
 * @module
 */
import { type Address, formatAddress } from "../../socket/network.ts";
import {
  ADDRESS_NOTATION,
  HOST_NOTATION,
  parseAddress,
  parseHost,
  parsePort,
  type PortOptions,
} from "../../socket/address.ts";
import { DURATION_NOTATION, formatDuration, parseDuration } from "../../internal/duration.ts";
import { quoted } from "../../internal/printable.ts";
import { formatSize, parseSize, SIZE_NOTATION } from "../../internal/size.ts";

/** An environment variable with another notation than its option. */
export interface Variable<V> {
  readonly name: string;
  /** Reads the variable. Throws a `RangeError` or `TypeError` whose message says what is accepted. */
  readonly parse: (text: string) => V;
}

/** Settings for an option of any kind. `V` is the type of one value. */
export interface Settings<V> {
  /** A short noun phrase or imperative for `--help`. */
  readonly help: string;
  /** The value if none is given. */
  readonly default?: V | readonly V[];
  /** The default as `--help` shows it, for a default that the program computes. */
  readonly defaultText?: string;
  /**
   * Variables that stand in for the option; the first that is set and not empty counts. The variable of a repeatable
   * option holds values separated by commas. The variable of a secret counts even if it is empty: a secret that got
   * lost must not leave the server open.
   */
  readonly environment?: string | readonly (string | Variable<V>)[];
  /** Whether the option may repeat; its value is then an array. Default `false`. */
  readonly repeatable?: boolean;
  /** Whether the option must be given. Default `false`: without a default, the value is then `undefined` or `[]`. */
  readonly required?: boolean;
  /** Whether its value must never be printed. Default `false`. */
  readonly secret?: boolean;
  /** The value as `--help` shows it, like the `N` of `--port N`. Each kind has a default. */
  readonly placeholder?: string;
  /** A value for the error when it is missing, such as `report.txt`. Default: what is accepted. */
  readonly example?: string;
  /** A former name of the option, such as `max-under-way`: it is accepted, and not shown. */
  readonly formerName?: string;
}

/** One entry of the table. `T` is the type that the program receives. */
export interface Option<out T> {
  readonly kind: "flag" | "value";
  readonly placeholder: string;
  readonly settings: Settings<unknown>;
  /** The heading in `--help`; see {@linkcode group}. */
  readonly group?: string;
  /** The accepted values, such as `a port from 0 to 65535`. */
  readonly accepts: string;
  /** Reads one value. Throws a `RangeError` or `TypeError` whose message says what is accepted. */
  readonly parse: (text: string) => unknown;
  /** Writes one value, for the default in `--help`. */
  readonly format: (value: unknown) => string;
  /** Never set: it carries `T` for the compiler. */
  readonly type?: T;
}

/** The type that the program receives for an option of values `V` with the settings `S`. */
export type ValueOf<V, S> = S extends { readonly repeatable: true } ? readonly V[]
  : S extends { readonly default: unknown } | { readonly required: true } ? V
  : V | undefined;

/** Rejects what a type parameter alone would let pass: settings outside `Known`, and a default of the wrong shape. */
type Only<S, V, Known> =
  & S
  & { readonly [K in Exclude<keyof S, keyof Known>]: never }
  & { readonly default?: S extends { readonly repeatable: true } ? readonly V[] : V };

/** Puts the options of a table under one heading of `--help`; an option that has a heading keeps it. */
export function group<const T extends Readonly<Record<string, Option<unknown>>>>(
  heading: string,
  table: T,
): T {
  const entries = Object.entries(table).map(([key, option]) => [key, { group: heading, ...option }]);
  return Object.fromEntries(entries) as T;
}

interface Kind<V> {
  readonly placeholder: string;
  readonly accepts: string;
  readonly parse: (text: string) => V;
  readonly format: (value: V) => string;
}

function make<V, S extends Settings<V>>(kind: Kind<V>, settings: S): Option<ValueOf<V, S>> {
  const { placeholder = kind.placeholder } = settings;
  // `format` only ever receives values of the default in these same settings.
  const format = (value: unknown): string => kind.format(value as V);
  return { ...kind, kind: "value", placeholder, settings, format };
}

function refuse(accepts: string, text: string): never {
  throw new RangeError(`Expected ${accepts}, got ${quoted(text)}`);
}

/** On or off: `--name`, `--no-name`. Off unless the default says otherwise. A variable holds `true`, `false`, `1`, or `0`. */
export function flag(settings: FlagSettings): Option<boolean> {
  const accepts = "true, false, 1, or 0";
  return {
    kind: "flag",
    placeholder: "",
    settings: { default: false, ...settings },
    accepts,
    parse: (text) =>
      text === "true" || text === "1" || (text !== "false" && text !== "0" && refuse(accepts, text)),
    format: (value) => (value ? "on" : "off"),
  };
}

/** Settings for a {@linkcode flag}. */
export type FlagSettings = Pick<Settings<boolean>, "help" | "defaultText" | "environment"> & {
  readonly default?: boolean;
};

/** Any text; an empty one only if `empty` is set. */
export function text<const S extends TextSettings>(
  settings: Only<S, string, TextSettings>,
): Option<ValueOf<string, S>> {
  const accepts = settings.empty ? "a text" : "a text that is not empty";
  const parse = (value: string): string => value === "" && !settings.empty ? refuse(accepts, value) : value;
  return make({ placeholder: "TEXT", accepts, parse, format: String }, settings);
}

/** Settings for a {@linkcode text}. */
export type TextSettings = Settings<string> & {
  /** Whether the text may be empty. Default `false`. */
  readonly empty?: boolean;
};

/** An integer, in decimal digits, from `min` to `max`. */
export function integer<const S extends IntegerSettings>(
  settings: Only<S, number, IntegerSettings>,
): Option<ValueOf<number, S>> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = settings;
  const accepts = max < Number.MAX_SAFE_INTEGER
    ? `an integer from ${min} to ${max}`
    : min > Number.MIN_SAFE_INTEGER
    ? `an integer of at least ${min}`
    : "an integer";
  const parse = (value: string): number => {
    const number = /^-?\d+$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? number : refuse(accepts, value);
  };
  return make({ placeholder: "N", accepts, parse, format: String }, settings);
}

/** Settings for an {@linkcode integer}. */
export type IntegerSettings = Settings<number> & { readonly min?: number; readonly max?: number };

/** A time in ms: `250ms`, `5s`, `1m`, `30d`; see {@linkcode parseDuration}. */
export function duration<const S extends MeasureSettings>(
  settings: Only<S, number, MeasureSettings>,
): Option<ValueOf<number, S>> {
  const measure = {
    parse: parseDuration,
    format: formatDuration,
    noun: "a duration",
    settings,
  };
  return make({ placeholder: "D", accepts: DURATION_NOTATION, ...within(measure) }, settings);
}

/** A number of bytes: `64KiB`, `1MiB`; see {@linkcode parseSize}. */
export function size<const S extends MeasureSettings>(
  settings: Only<S, number, MeasureSettings>,
): Option<ValueOf<number, S>> {
  const measure = { parse: parseSize, format: formatSize, noun: "a size", settings };
  return make({ placeholder: "SIZE", accepts: SIZE_NOTATION, ...within(measure) }, settings);
}

/** Settings for a {@linkcode duration} or a {@linkcode size}. */
export type MeasureSettings = Settings<number> & {
  /** In ms or bytes. Default 0. */
  readonly min?: number;
  /** In ms or bytes. Default: what the notation allows. */
  readonly max?: number;
};

interface Measure {
  readonly parse: (text: string) => number;
  readonly format: (value: number) => string;
  readonly noun: string;
  readonly settings: Pick<MeasureSettings, "min" | "max">;
}

function within(
  { parse, format, noun, settings: { min = 0, max = Infinity } }: Measure,
): Pick<Kind<number>, "parse" | "format"> {
  return {
    parse: (text) => {
      const value = parse(text);
      if (value < min) refuse(`${noun} of at least ${format(min)}`, text);
      return value <= max ? value : refuse(`${noun} of at most ${format(max)}`, text);
    },
    format,
  };
}

/** A TCP or UDP port. */
export function port<const S extends Settings<number> & PortOptions>(
  settings: Only<S, number, Settings<number> & PortOptions>,
): Option<ValueOf<number, S>> {
  const accepts = `a port from ${settings.minPort ?? 0} to 65535`;
  const parse = (value: string): number => parsePort(value, settings);
  return make({ placeholder: "N", accepts, parse, format: String }, settings);
}

/** An IP address or a host name. */
export function host<const S extends Settings<string>>(
  settings: Only<S, string, Settings<string>>,
): Option<ValueOf<string, S>> {
  return make({ placeholder: "H", accepts: HOST_NOTATION, parse: parseHost, format: String }, settings);
}

/** `HOST:PORT`. */
export function address<const S extends Settings<Address> & PortOptions>(
  settings: Only<S, Address, Settings<Address> & PortOptions>,
): Option<ValueOf<Address, S>> {
  const parse = (value: string): Address => parseAddress(value, settings);
  return make(
    { placeholder: "HOST:PORT", accepts: ADDRESS_NOTATION, parse, format: formatAddress },
    settings,
  );
}

/** One of a few words. */
export function choice<const C extends readonly string[], const S extends Settings<C[number]>>(
  choices: C,
  settings: Only<S, C[number], Settings<C[number]>>,
): Option<ValueOf<C[number], S>> {
  const accepts = `one of ${choices.join(", ")}`;
  const parse = (value: string): C[number] =>
    choices.find((known) => known === value) ?? refuse(accepts, value);
  return make({ placeholder: choices.join("|"), accepts, parse, format: String }, settings);
}

/** A value with its own notation, read by `parse`. */
export function custom<V, const S extends CustomSettings<V>>(
  parse: (text: string) => V,
  settings: Only<S, V, CustomSettings<V>>,
): Option<ValueOf<V, S>> {
  const { accepts, format = String } = settings;
  return make({ placeholder: "SPEC", accepts, parse, format }, settings);
}

/** Settings for a {@linkcode custom} option. */
export type CustomSettings<V> = Settings<V> & {
  /** The accepted values, such as `0, fixed:1s, or uniform:0s-5s`. */
  readonly accepts: string;
  /** Writes a value of the default, for `--help`. Default `String`. */
  readonly format?: (value: V) => string;
};

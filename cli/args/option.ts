/**
 * The kinds of options and positionals a command line is put together from. Each is one entry of a table, which
 * drives parsing, help, environment, defaults and validation alike. Pure.
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

/** An environment variable that is written in another way than the option it stands for. */
export interface Variable<V> {
  readonly name: string;
  /** Reads the variable; throws `RangeError` or `TypeError`, with a message that says what is accepted. */
  readonly parse: (text: string) => V;
}

/** What an option of any kind may say of itself. `V` is the type of one value. */
export interface Settings<V> {
  /** What it does, in a few words, for `--help`. */
  readonly help: string;
  /** The value where none is given. */
  readonly default?: V | readonly V[];
  /** How `--help` shows the default; for where the program works it out by itself. */
  readonly defaultText?: string;
  /**
   * The variables that stand in for the option; the first that is set and not empty counts. The variable of a
   * repeatable option holds several values, separated by commas. That of a secret counts where it is empty, too: a
   * secret that was lost on its way must not leave open what it was to guard.
   */
  readonly environment?: string | readonly (string | Variable<V>)[];
  /** May be given more than once; the value is an array. Default `false`. */
  readonly repeatable?: boolean;
  /** Must be given. Default `false`: with neither this nor a default the value may be `undefined`, or an empty array. */
  readonly required?: boolean;
  /** Its value is never printed. Default `false`. */
  readonly secret?: boolean;
  /** How `--help` shows the value, as the `N` of `--port N`. Each kind has a default. */
  readonly placeholder?: string;
}

/** One entry of the table. `T` is what the program gets: a value, an array of them, or perhaps `undefined`. */
export interface Option<out T> {
  readonly kind: "flag" | "value";
  readonly placeholder: string;
  readonly settings: Settings<unknown>;
  /** What a value has to be, as in `a port from 0 to 65535`. */
  readonly accepts: string;
  /** Reads one value; throws `RangeError` or `TypeError`, with a message that says what is accepted. */
  readonly parse: (text: string) => unknown;
  /** Writes one value, for the default that `--help` shows. */
  readonly format: (value: unknown) => string;
  /** Never there: it makes `T` known to the compiler. */
  readonly type?: T;
}

/** What the program gets for an option of values `V` with the settings `S`. */
export type ValueOf<V, S> = S extends { readonly repeatable: true } ? readonly V[]
  : S extends { readonly default: unknown } | { readonly required: true } ? V
  : V | undefined;

/** Refuses what a type parameter alone would let pass: settings that are not among `Known`, a default of the wrong shape. */
type Only<S, V, Known> =
  & S
  & { readonly [K in Exclude<keyof S, keyof Known>]: never }
  & { readonly default?: S extends { readonly repeatable: true } ? readonly V[] : V };

interface Kind<V> {
  readonly placeholder: string;
  readonly accepts: string;
  readonly parse: (text: string) => V;
  readonly format: (value: V) => string;
}

function make<V, S extends Settings<V>>(kind: Kind<V>, settings: S): Option<ValueOf<V, S>> {
  return {
    kind: "value",
    placeholder: settings.placeholder ?? kind.placeholder,
    settings,
    accepts: kind.accepts,
    parse: kind.parse,
    // Only ever given values of the default in these same settings.
    format: (value) => kind.format(value as V),
  };
}

/** On or off: `--name`, `--no-name`. Off unless the default says otherwise. A variable holds `true`, `false`, `1` or `0`. */
export function flag(settings: FlagSettings): Option<boolean> {
  return {
    kind: "flag",
    placeholder: "",
    settings: { default: false, ...settings },
    accepts: SWITCH_NOTATION,
    parse: parseSwitch,
    format: (value) => (value ? "on" : "off"),
  };
}

/** What a {@linkcode flag} may say of itself. */
export type FlagSettings = Pick<Settings<boolean>, "help" | "defaultText" | "environment"> & {
  readonly default?: boolean;
};

const SWITCH_NOTATION = "true, false, 1 or 0";

function parseSwitch(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new RangeError(`Expected ${SWITCH_NOTATION}, got ${quoted(text)}`);
}

/** Any text, but not an empty one unless `empty` says so. */
export function text<const S extends TextSettings>(
  settings: Only<S, string, TextSettings>,
): Option<ValueOf<string, S>> {
  const accepts = settings.empty ? "a text" : "a text that is not empty";
  const parse = (value: string): string => {
    if (value === "" && !settings.empty) throw new RangeError(`Expected ${accepts}, got ""`);
    return value;
  };
  return make({ placeholder: "TEXT", accepts, parse, format: String }, settings);
}

/** What a {@linkcode text} may say of itself. */
export type TextSettings = Settings<string> & {
  /** May be the empty text. Default `false`. */
  readonly empty?: boolean;
};

/** A whole number, in decimal digits, from `min` to `max`. */
export function integer<const S extends IntegerSettings>(
  settings: Only<S, number, IntegerSettings>,
): Option<ValueOf<number, S>> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = settings;
  const accepts = max === Number.MAX_SAFE_INTEGER
    ? (min === Number.MIN_SAFE_INTEGER ? "a whole number" : `a whole number of at least ${min}`)
    : `a whole number from ${min} to ${max}`;
  const parse = (value: string): number => {
    const number = /^-?\d+$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new RangeError(`Expected ${accepts}, got ${quoted(value)}`);
  };
  return make({ placeholder: "N", accepts, parse, format: String }, settings);
}

/** What an {@linkcode integer} may say of itself. */
export type IntegerSettings = Settings<number> & { readonly min?: number; readonly max?: number };

/** A time in ms, `min` at least: `250ms`, `5s`, `1m`; see {@linkcode parseDuration}. */
export function duration<const S extends DurationSettings>(
  settings: Only<S, number, DurationSettings>,
): Option<ValueOf<number, S>> {
  const { min = 0 } = settings;
  const parse = (value: string): number => {
    const ms = parseDuration(value);
    if (ms >= min) return ms;
    throw new RangeError(`Expected a duration of at least ${formatDuration(min)}, got ${quoted(value)}`);
  };
  return make({ placeholder: "D", accepts: DURATION_NOTATION, parse, format: formatDuration }, settings);
}

/** What a {@linkcode duration} may say of itself. */
export type DurationSettings = Settings<number> & {
  /** ms. Default 0. */
  readonly min?: number;
};

/** Bytes, `min` at least: `64KiB`, `1MiB`; see {@linkcode parseSize}. */
export function size<const S extends SizeSettings>(
  settings: Only<S, number, SizeSettings>,
): Option<ValueOf<number, S>> {
  const { min = 0 } = settings;
  const parse = (value: string): number => {
    const bytes = parseSize(value);
    if (bytes >= min) return bytes;
    throw new RangeError(`Expected a size of at least ${formatSize(min)}, got ${quoted(value)}`);
  };
  return make({ placeholder: "SIZE", accepts: SIZE_NOTATION, parse, format: formatSize }, settings);
}

/** What a {@linkcode size} may say of itself. */
export type SizeSettings = Settings<number> & {
  /** Bytes. Default 0. */
  readonly min?: number;
};

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
  const parse = (value: string): C[number] => {
    const found = choices.find((known) => known === value);
    if (found !== undefined) return found;
    throw new RangeError(`Expected ${accepts}; got ${quoted(value)}`);
  };
  return make({ placeholder: choices.join("|"), accepts, parse, format: String }, settings);
}

/** A value in a notation of its own, read by `parse`. */
export function custom<V, const S extends CustomSettings<V>>(
  parse: (text: string) => V,
  settings: Only<S, V, CustomSettings<V>>,
): Option<ValueOf<V, S>> {
  const { accepts, format = String } = settings;
  return make({ placeholder: "SPEC", accepts, parse, format }, settings);
}

/** What a {@linkcode custom} option has to say of itself. */
export type CustomSettings<V> = Settings<V> & {
  /** What a value has to be, as in `0, fixed:1s or uniform:0s-5s`. */
  readonly accepts: string;
  /** Writes a value of the default, for `--help`. Default `String`. */
  readonly format?: (value: V) => string;
};

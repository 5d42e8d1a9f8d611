/** The command lines of benchmarks, trials, and other tools of this project. @module */
import { parseArgs } from "@std/cli/parse-args";
import { quoted } from "../../../internal/printable.ts";

/** Values by name, each with its default, whose type a value must have. */
type Defaults = Readonly<Record<string, number | string>>;

/** The type of a value whose default is `D`: a literal type would allow only the default. */
type ValueOf<D> = D extends number ? number : D extends string ? string : boolean;

/** The command line of a tool. */
export interface ToolUsage<
  Options extends Readonly<Record<string, number | string | false>>,
  Words extends Defaults,
> {
  /** The command that runs it, such as `deno task soak`. */
  readonly command: string;
  /** The options by name. `false` is the default of a flag. */
  readonly options?: Options;
  /** The words that may follow, in their order. */
  readonly words?: Words;
  /** A description of arguments after the words, which the tool reads itself. */
  readonly rest?: string;
}

/** The values of a command line. */
export type ToolArgs<Options, Words> =
  & { readonly [K in keyof Options]: ValueOf<Options[K]> }
  & { readonly [K in keyof Words]: ValueOf<Words[K]> };

/** A command line that a tool cannot use. */
export class ToolUsageError extends Error {
  override readonly name = "ToolUsageError";
}

/**
 * Reads the command line of a tool. With `--help`, prints how to use it, and exits with 0. Exits with 2 if it is invalid:
 * otherwise, a tool with a mistyped option would measure something else.
 */
export function toolArgs<
  const Options extends Readonly<Record<string, number | string | false>>,
  const Words extends Defaults,
>(usage: ToolUsage<Options, Words>, args: readonly string[] = Deno.args): ToolArgs<Options, Words> {
  try {
    const values = readToolArgs(usage, args);
    if (values !== undefined) return values;
    write(Deno.stdout, `Usage: ${describe(usage)}`);
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof ToolUsageError)) throw error;
    write(Deno.stderr, `error: ${error.message}`);
    Deno.exit(2);
  }
}

/**
 * Reads a command line. Pure.
 *
 * @returns `undefined` if it asks for help.
 * @throws {ToolUsageError} If it is invalid.
 */
export function readToolArgs<
  const Options extends Readonly<Record<string, number | string | false>>,
  const Words extends Defaults,
>(usage: ToolUsage<Options, Words>, args: readonly string[]): ToolArgs<Options, Words> | undefined {
  const { options = {} as Options, words = {} as Words } = usage;
  const flags = Object.keys(options).filter((name) => options[name] === false);
  let free = Object.keys(words).length;
  const { _: given, help, ...found } = parseArgs(args, {
    boolean: ["help", ...flags],
    string: ["_", ...Object.keys(options).filter((name) => options[name] !== false)],
    alias: { help: "h" },
    unknown: (arg, name) => {
      if (name !== undefined || free-- === 0) unknown(arg, usage);
    },
  });
  if (help === true) return undefined;
  for (const name of flags) {
    if (args.some((arg) => arg.startsWith(`--${name}=`))) {
      throw new ToolUsageError(`Cannot use --${name} with a value`);
    }
  }
  const valueAt = ([name, fallback]: [string, number | string | false]): [string, unknown] => {
    const text = found[name];
    return [name, typeof text === "string" ? valueOf(`--${name}`, text, fallback) : text ?? fallback];
  };
  return Object.fromEntries([
    ...Object.entries(options).map(valueAt),
    ...Object.entries<number | string>(words).map(([name, fallback], place) => {
      const text = given[place];
      return [name, text === undefined ? fallback : valueOf(name.toUpperCase(), String(text), fallback)];
    }),
  ]) as ToolArgs<Options, Words>;
}

function unknown(arg: string, usage: Parameters<typeof describe>[0]): never {
  throw new ToolUsageError(`Unknown argument ${quoted(arg)}: expected ${describe(usage)}`);
}

function valueOf(name: string, text: string, fallback: number | string | false): number | string {
  if (text === "") throw new ToolUsageError(`Cannot use ${name} without a value`);
  if (typeof fallback === "string") return text;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new ToolUsageError(`Cannot use ${name} ${quoted(text)}: expected a number of at least 0`);
}

/** Returns the command with all that it takes, and the defaults: `deno task soak [--minutes 5] [SIZE]`. */
function describe(
  { command, options = {}, words = {}, rest }: ToolUsage<
    Readonly<Record<string, number | string | false>>,
    Defaults
  >,
): string {
  return [
    command,
    ...Object.entries(options).map(([name, value]) =>
      value === false ? `[--${name}]` : `[--${name} ${value === "" ? "TEXT" : value}]`
    ),
    ...Object.entries(words).map(([name, value]) =>
      value === "" ? `[${name.toUpperCase()}]` : `[${name.toUpperCase()}=${value}]`
    ),
    ...rest === undefined ? [] : [`[${rest}]`],
  ].join(" ");
}

function write(to: typeof Deno.stdout, line: string): void {
  to.writeSync(new TextEncoder().encode(`${line}\n`));
}

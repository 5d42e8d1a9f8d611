/** The command lines of benchmarks, trials, and other tools of this project. @module */
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
  if (args.some((arg) => arg === "--help" || arg === "-h")) return undefined;
  const values: Record<string, unknown> = { ...options, ...words };
  const free = Object.entries<number | string>(words);
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (!arg.startsWith("-")) {
      const [name, fallback] = free.shift() ?? unknown(arg, usage);
      values[name] = valueOf(name.toUpperCase(), arg, fallback);
      continue;
    }
    const [, name = "", inline] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!Object.hasOwn(options, name)) unknown(arg, usage);
    const fallback = options[name]!;
    if (fallback === false) {
      if (inline !== undefined) throw new ToolUsageError(`Cannot use --${name} with a value`);
      values[name] = true;
    } else values[name] = valueOf(`--${name}`, inline ?? left.shift(), fallback);
  }
  return values as ToolArgs<Options, Words>;
}

function unknown(arg: string, usage: Parameters<typeof describe>[0]): never {
  throw new ToolUsageError(`Unknown argument ${quoted(arg)}: expected ${describe(usage)}`);
}

function valueOf(name: string, text: string | undefined, fallback: number | string): number | string {
  if (text === undefined || text === "" || text.startsWith("--")) {
    throw new ToolUsageError(`Cannot use ${name} without a value`);
  }
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

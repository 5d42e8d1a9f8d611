/** The text of `--help`, from the same tables that drive parsing. Pure. @module */
import type { Option } from "./option.ts";
import { optionName, type OptionTable, positionalName, type Program } from "./program.ts";

const WIDTH = 100;
const MAX_LEFT = 28;

/** Returns the help for a program: its commands, then the default command in full. */
export function programHelp(program: Program, builtIn: OptionTable): string {
  const { name, summary, commandNoun, commands, defaultCommand } = program;
  const noun = commandNoun.toUpperCase();
  const rows = Object.entries(commands).map(([command, { summary }]): Row => [
    command,
    summary + (command === defaultCommand ? " (default)" : ""),
  ]);
  return [
    `${name}: ${summary}`,
    "",
    `Usage: ${name} [${noun}] [OPTIONS]`,
    `       ${name} ${noun} --help`,
    "",
    `${noun} is one of:`,
    ...columns(rows),
    "",
    `Options of ${defaultCommand}, the default:`,
    "",
    ...details(program, defaultCommand, builtIn),
  ].join("\n");
}

/** Returns the help for one command. */
export function commandHelp(program: Program, name: string, builtIn: OptionTable): string {
  const command = program.commands[name];
  const positionals = Object.entries(command?.positionals ?? {}).map(([key, { settings }]) => {
    const shown = positionalName(key) + (settings.repeatable ? "…" : "");
    return settings.required ? ` ${shown}` : ` [${shown}]`;
  });
  return [
    `${program.name} ${name}: ${command?.summary ?? ""}`,
    "",
    `Usage: ${program.name} ${name}${positionals.join("")} [OPTIONS]`,
    "",
    ...details(program, name, builtIn),
  ].join("\n");
}

/** Returns the arguments, the options by group in the order of the table, and the examples. */
function details(program: Program, name: string, builtIn: OptionTable): string[] {
  const command = program.commands[name];
  const words = Object.entries(command?.positionals ?? {}).map(([key, option]): Row => [
    positionalName(key),
    describe(option),
  ]);
  const groups = new Map<string, Row[]>(words.length > 0 ? [["Arguments", words]] : []);
  for (const [key, option] of Object.entries({ ...command?.options, ...builtIn })) {
    const heading = option.group ?? "Options";
    groups.set(heading, [...groups.get(heading) ?? [], [usage(key, option), describe(option)]]);
  }
  const sections = Array.from(groups, ([heading, rows]) => [`${heading}:`, ...columns(rows), ""]);
  const examples = (command?.examples ?? []).flatMap(([args, does]) => [
    `  # ${does}`,
    `  ${program.invocation ?? program.name} ${args}`.trimEnd(),
  ]);
  return [...sections.flat(), "Examples:", ...examples];
}

/** Returns the left column: `--port N`, `--json`, or `--no-redeliver` for a flag that is on by default. */
function usage(key: string, { kind, settings, placeholder }: Option<unknown>): string {
  const name = optionName(key);
  if (kind === "flag") return settings.default === true ? `--no-${name}` : `--${name}`;
  return `--${name} ${placeholder}`;
}

/** Returns the right column: the help, then the default and the variables in brackets. */
function describe(option: Option<unknown>): string {
  const { help, environment = [], repeatable, required } = option.settings;
  const variables = [environment].flat().map((variable) =>
    typeof variable === "string" ? variable : variable.name
  );
  const fallback = describeDefault(option);
  const notes = [
    ...(required ? ["required"] : []),
    ...(repeatable ? ["repeatable"] : []),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ...(variables.length > 0 ? [`env: ${variables.join(", ")}`] : []),
  ];
  return notes.length === 0 ? help : `${help} [${notes.join("; ")}]`;
}

function describeDefault({ kind, settings, format }: Option<unknown>): string | undefined {
  const { default: fallback, defaultText, secret } = settings;
  if (defaultText !== undefined) return defaultText;
  // Every flag is off unless it is given, because one that is on by default is shown as `--no-…`.
  if (fallback === undefined || kind === "flag") return undefined;
  return secret ? "hidden" : [fallback].flat().map(format).join(", ");
}

type Row = readonly [left: string, right: string];

/** Returns two columns, the right one wrapped; a left side that is too long gets its own line. */
function columns(rows: readonly Row[]): string[] {
  const left = Math.min(Math.max(...rows.map(([name]) => name.length)), MAX_LEFT);
  const indent = " ".repeat(left + 4);
  return rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, WIDTH - indent.length);
    const head = name.length > left ? [`  ${name}`, indent + first] : [`  ${name.padEnd(left)}  ${first}`];
    return [...head, ...rest.map((line) => indent + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

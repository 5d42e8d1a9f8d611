/** The text of `--help`, from the same tables that drive parsing. Pure. @module */
import type { Option } from "./option.ts";
import { type OptionTable, optionUsage, positionalName, type Program } from "./program.ts";

const WIDTH = 100;
const MIN_HELP_WIDTH = 40;

/** Help for the whole program: its commands, and the default one in full. */
export function programHelp(program: Program, builtIn: OptionTable): string {
  const names = Object.keys(program.commands);
  const noun = program.commandNoun;
  const rows = names.map((name): Row => [
    name,
    (program.commands[name]?.summary ?? "") + (name === program.defaultCommand ? " (the default)" : ""),
  ]);
  return [
    `${program.name}: ${program.summary}`,
    "",
    `Usage: ${program.name} [${noun.toUpperCase()}] [OPTIONS]`,
    `       ${program.name} ${noun.toUpperCase()} --help`,
    "",
    `${noun.toUpperCase()} is one of:`,
    ...columns(rows),
    "",
    ...details({
      program,
      name: program.defaultCommand,
      heading: `Options of ${program.defaultCommand}:`,
      builtIn,
    }),
  ].join("\n");
}

/** Help for one command. */
export function commandHelp(program: Program, name: string, builtIn: OptionTable): string {
  const command = program.commands[name];
  const positionals = Object.entries(command?.positionals ?? {}).map(([key, option]) => {
    const shown = positionalName(key) + (option.settings.repeatable ? "…" : "");
    return option.settings.required ? ` ${shown}` : ` [${shown}]`;
  });
  return [
    `${program.name} ${name}: ${command?.summary ?? ""}`,
    "",
    `Usage: ${program.name} ${name}${positionals.join("")} [OPTIONS]`,
    "",
    ...details({ program, name, heading: "Options:", builtIn }),
  ].join("\n");
}

interface Details {
  readonly program: Program;
  readonly name: string;
  readonly heading: string;
  readonly builtIn: OptionTable;
}

function details({ program, name, heading, builtIn }: Details): string[] {
  const command = program.commands[name];
  const words = Object.entries(command?.positionals ?? {}).map(([key, option]): Row => [
    positionalName(key),
    describe(option),
  ]);
  const options = Object.entries(command?.options ?? {}).map(([key, option]): Row => [
    optionUsage(key, option),
    describe(option),
  ]);
  const always = Object.entries(builtIn).map(([key, option]): Row => [
    optionUsage(key, option),
    option.settings.help,
  ]);
  const examples = (command?.examples ?? []).map((
    [args, does],
  ): Row => [`${program.name} ${args}`.trimEnd(), does]);
  return [
    ...(words.length > 0 ? ["Arguments:", ...columns(words), ""] : []),
    heading,
    ...columns([...options, ...always]),
    "",
    "Examples:",
    ...examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`]),
  ];
}

/** The help of an option, its default and its variables. */
function describe(option: Option<unknown>): string {
  const { help, environment = [], repeatable } = option.settings;
  const variables = (typeof environment === "string" ? [environment] : environment).map((variable) =>
    typeof variable === "string" ? variable : variable.name
  );
  const notes = [
    ...(repeatable ? ["may repeat"] : []),
    `default: ${describeDefault(option)}`,
    ...(variables.length > 0 ? [`environment: ${variables.join(", ")}`] : []),
  ];
  return `${help} [${notes.join("; ")}]`;
}

function describeDefault(option: Option<unknown>): string {
  const { default: fallback, defaultText, required, secret } = option.settings;
  if (defaultText !== undefined) return defaultText;
  if (required) return "none, it must be given";
  if (fallback === undefined) return "none";
  if (secret) return "hidden";
  // What is on by itself is shown as --no-something, which is off until it is given.
  if (option.kind === "flag") return "off";
  return Array.isArray(fallback) ? fallback.map(option.format).join(", ") : option.format(fallback);
}

type Row = readonly [left: string, right: string];

/** Two columns, the right one wrapped; a left side that is too long has a line of its own. */
function columns(rows: readonly Row[]): string[] {
  const left = Math.min(Math.max(...rows.map((row) => row[0].length)), WIDTH - MIN_HELP_WIDTH - 4, 28);
  const indent = " ".repeat(left + 4);
  return rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, WIDTH - indent.length);
    const head = name.length > left ? [`  ${name}`, indent + first] : [`  ${name.padEnd(left)}  ${first}`];
    return [...head, ...rest.map((line) => indent + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A made-up program for tests of the command line, and the results of parsing its arguments. */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ExitCode, UsageError } from "../../../cli/terminal/exit.ts";
import * as option from "../../../cli/args/option.ts";
import { parseCommandLine, type ParseResult } from "../../../cli/args/parse.ts";
import type { CommandLine, Program } from "../../../cli/args/program.ts";

const common = {
  host: option.host({
    help: "Address to listen on",
    repeatable: true,
    default: ["127.0.0.1", "::1"],
    environment: "SERVER_HOST",
  }),
  port: option.port({ help: "Port to listen on", default: 8000, environment: "SERVER_PORT" }),
  maxLine: option.size({ help: "Longest line", min: 1, default: 65_536 }),
  json: option.flag({ help: "For machines" }),
  token: option.text({ help: "What peers must say first", secret: true, environment: "OKLINE_TOKEN" }),
};

export type Delay = { readonly min: number; readonly max: number };

function parseDelay(text: string): Delay {
  if (text === "none") throw new TypeError(`Cannot use delay "${text}": expected uniform:MIN-MAX`);
  const match = /^uniform:(\d+)-(\d+)$/.exec(text);
  if (match === null) throw new RangeError(`Expected uniform:MIN-MAX, got ${text}`);
  return { min: Number(match[1]), max: Number(match[2]) };
}

/** A program with every kind of option. */
export const program = {
  name: "server.ts",
  summary: "A line server",
  version: "1.2.3",
  commandNoun: "service",
  defaultCommand: "relay",
  commands: {
    relay: {
      summary: "Send each message to a random peer",
      options: {
        ...common,
        redeliver: option.flag({ help: "Do not send again what was not answered", default: true }),
        ackTimeout: option.duration({ help: "How long to wait", default: 10_000, defaultText: "10s or so" }),
        offset: option.integer({ help: "A number", min: -10, max: 10 }),
        delay: option.custom(parseDelay, {
          help: "How long to hold an answer",
          accepts: "uniform:MIN-MAX",
          default: { min: 0, max: 0 },
          format: ({ min, max }) => `${min}-${max}`,
          environment: ["REPLY_DELAY", {
            name: "DELAY_TIME",
            parse: (text): Delay => ({ min: 0, max: Number(text) }),
          }],
        }),
        policy: option.choice(["random", "source"], { help: "Which one", default: "random" }),
        maxOpen: option.integer({ help: "How many", formerName: "most-open" }),
      },
      examples: [["", "Relay"], ["relay --port 0", "On a free port"]],
    },
    proxy: {
      summary: "Forward bytes",
      options: {
        ...option.group("Proxy", {
          to: option.address({ help: "Where to", required: true, minPort: 1, repeatable: true }),
          message: option.text({ help: "A text", empty: true }),
        }),
        ...common,
        ...option.group("Output", { json: common.json }),
      },
      examples: [["proxy --to a:1", "To a"], ["proxy --to a:1 --to b:2", "To both"]],
    },
    get: {
      summary: "Fetch a URL",
      positionals: {
        method: option.choice(["GET", "HEAD"], { help: "What to do", required: true }),
        url: option.text({ help: "Of what", required: true, example: "http://a" }),
        header: option.text({ help: "Said with it", repeatable: true }),
      },
      options: { json: common.json, from: option.port({ help: "Local port", minPort: 1 }) },
      instead: { port: "name the port in the URL" },
      examples: [["get GET http://a", "Get it"], ["get HEAD http://a", "Ask for it"]],
    },
  },
} as const satisfies Program;

export type Line = CommandLine<typeof program["commands"]>;

export function parse(args: string[], environment: Record<string, string> = {}): Line {
  const line: Line | ParseResult = parseCommandLine(program, {
    args,
    environment: (name) => environment[name],
  });
  assert(!("text" in line));
  return line;
}

export function relay(
  args: string[],
  environment: Record<string, string> = {},
): Extract<Line, { command: "relay" }> {
  const line = parse(args, environment);
  assert(line.command === "relay");
  return line;
}

export function refusal(args: string[], environment: Record<string, string> = {}): string {
  const error = assertThrows(() => parse(args, environment));
  assertInstanceOf(error, UsageError);
  assertEquals(error.exitCode, ExitCode.usage);
  assert(!error.message.includes("\n"), "one line");
  return error.message;
}

export function help(args: string[]): string {
  const answer = parseCommandLine(program, { args, environment: () => undefined });
  assert("text" in answer);
  return answer.text;
}

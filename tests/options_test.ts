import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ExitCode, UsageError } from "../cli/exit.ts";
import * as option from "../cli/option.ts";
import { type Answer, parseCommandLine } from "../cli/options.ts";
import type { CommandLine, Program } from "../cli/program.ts";
import type { Address } from "../socket/network.ts";

const pure = { permissions: "none" } as const;

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

type Delay = { readonly min: number; readonly max: number };

function parseDelay(text: string): Delay {
  const match = /^uniform:(\d+)-(\d+)$/.exec(text);
  if (match === null) throw new RangeError(`Expected uniform:MIN-MAX, got ${text}`);
  return { min: Number(match[1]), max: Number(match[2]) };
}

const program = {
  name: "server.ts",
  summary: "A server of lines",
  version: "1.2.3",
  commandNoun: "service",
  defaultCommand: "relay",
  commands: {
    relay: {
      summary: "Sends each message to somebody",
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
      },
      examples: [["", "Relay"], ["relay --port 0", "On a free port"]],
    },
    proxy: {
      summary: "Passes bytes on",
      options: {
        ...common,
        to: option.address({ help: "Where to", required: true, minPort: 1, repeatable: true }),
        message: option.text({ help: "A text", empty: true }),
      },
      examples: [["proxy --to a:1", "To a"], ["proxy --to a:1 --to b:2", "To both"]],
    },
    get: {
      summary: "Fetches",
      positionals: {
        method: option.choice(["GET", "HEAD"], { help: "What to do", required: true }),
        url: option.text({ help: "Of what", required: true }),
        header: option.text({ help: "Said with it", repeatable: true }),
      },
      options: { json: common.json, from: option.port({ help: "Local port", minPort: 1 }) },
      examples: [["get GET http://a", "Get it"], ["get HEAD http://a", "Ask for it"]],
    },
  },
} as const satisfies Program;

type Line = CommandLine<typeof program["commands"]>;

function parse(args: string[], environment: Record<string, string> = {}): Line {
  const line: Line | Answer = parseCommandLine(program, { args, environment: (name) => environment[name] });
  assert(!("text" in line));
  return line;
}

function relay(
  args: string[],
  environment: Record<string, string> = {},
): Extract<Line, { command: "relay" }> {
  const line = parse(args, environment);
  assert(line.command === "relay");
  return line;
}

function refusal(args: string[], environment: Record<string, string> = {}): string {
  const error = assertThrows(() => parse(args, environment));
  assertInstanceOf(error, UsageError);
  assertEquals(error.exitCode, ExitCode.usage);
  assert(!error.message.includes("\n"), "one line");
  return error.message;
}

function help(args: string[]): string {
  const answer = parseCommandLine(program, { args, environment: () => undefined });
  assert("text" in answer);
  return answer.text;
}

Deno.test("parseCommandLine() fills in the default command and defaults", pure, () => {
  assertEquals(relay([]), {
    command: "relay",
    options: {
      host: ["127.0.0.1", "::1"],
      port: 8000,
      maxLine: 65_536,
      json: false,
      token: undefined,
      redeliver: true,
      ackTimeout: 10_000,
      offset: undefined,
      delay: { min: 0, max: 0 },
      policy: "random",
    },
    positionals: {},
  });
});

Deno.test("parseCommandLine() types what it gives by the table", pure, () => {
  const { options } = relay([]);
  const typed: {
    host: readonly string[];
    port: number;
    json: boolean;
    token: string | undefined;
    offset: number | undefined;
    delay: Delay;
    policy: "random" | "source";
  } = options;
  assertEquals(typed.port, 8000);
  const line = parse(["get", "GET", "x"]);
  assert(line.command === "get");
  const words: { method: "GET" | "HEAD"; url: string; header: readonly string[] } = line.positionals;
  assertEquals(words, { method: "GET", url: "x", header: [] });
  const proxied = parse(["proxy", "--to", "a:1"]);
  assert(proxied.command === "proxy");
  const to: readonly Address[] = proxied.options.to;
  assertEquals(to, [{ hostname: "a", port: 1 }]);
});

Deno.test("parseCommandLine() reads --name value and --name=value alike", pure, () => {
  for (const args of [["--max-line", "1KiB"], ["--max-line=1KiB"]]) {
    assertEquals(relay(args).options.maxLine, 1024);
  }
  assertEquals(relay(["--token=a=b"]).options.token, "a=b");
});

Deno.test("parseCommandLine() takes negative numbers and single dashes as values", pure, () => {
  assertEquals(relay(["--offset", "-5"]).options.offset, -5);
  assertEquals(relay(["--offset=-5"]).options.offset, -5);
  assertEquals(relay(["--token", "-x"]).options.token, "-x");
  assertEquals(relay(["--token", "-"]).options.token, "-");
});

Deno.test("parseCommandLine() takes any text as a value after =", pure, () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
    assertEquals(relay([`--token=${text}`]).options.token, text);
  }));
});

Deno.test("parseCommandLine() turns flags on and off", pure, () => {
  assertEquals(relay(["--json"]).options.json, true);
  assertEquals(relay(["--json=true"]).options.json, true);
  assertEquals(relay(["--no-json"]).options.json, false);
  assertEquals(relay(["--no-redeliver"]).options.redeliver, false);
  assertEquals(relay(["--redeliver=false"]).options.redeliver, false);
  assertEquals(relay(["--redeliver"]).options.redeliver, true);
});

Deno.test("parseCommandLine() never takes the word after a flag for its value", pure, () => {
  const line = parse(["--json", "get", "GET", "true"]);
  assert(line.command === "get");
  assertEquals(line.options.json, true);
  assertEquals(line.positionals.url, "true");
});

Deno.test("parseCommandLine() gathers what may repeat, in order", pure, () => {
  assertEquals(relay(["--host", "::1", "--host=a"]).options.host, ["::1", "a"]);
});

Deno.test(
  "parseCommandLine() finds the command behind options, and their values are no commands",
  pure,
  () => {
    const line = parse(["--port", "1", "proxy", "--to", "a:1"]);
    assertEquals(line.command, "proxy");
    assertEquals(relay(["--token", "proxy"]).options.token, "proxy");
  },
);

Deno.test("parseCommandLine() takes all after -- as words, never as a command", pure, () => {
  const line = parse(["get", "GET", "--", "--json", "-5", "--"]);
  assert(line.command === "get");
  assertEquals(line.positionals, { method: "GET", url: "--json", header: ["-5", "--"] });
  assertEquals(refusal(["--", "get"]), 'Unexpected argument "get": the command takes none');
});

Deno.test("parseCommandLine() keeps words as they are, numbers too", pure, () => {
  const line = parse(["get", "GET", "007", "1e3", "-"]);
  assert(line.command === "get");
  assertEquals(line.positionals, { method: "GET", url: "007", header: ["1e3", "-"] });
});

Deno.test("parseCommandLine() takes the command line before the environment before the default", pure, () => {
  assertEquals(relay([], { SERVER_PORT: "1" }).options.port, 1);
  assertEquals(relay(["--port", "2"], { SERVER_PORT: "1" }).options.port, 2);
  assertEquals(relay(["--port", "2"], { SERVER_PORT: "nonsense" }).options.port, 2);
  assertEquals(relay([], { SERVER_PORT: "" }).options.port, 8000);
});

Deno.test("parseCommandLine() splits the variable of a repeatable option at commas", pure, () => {
  assertEquals(relay([], { SERVER_HOST: "::1, a" }).options.host, ["::1", "a"]);
  assertStringIncludes(
    refusal([], { SERVER_HOST: "a,,b" }),
    "Bad value in SERVER_HOST: Expected an IP address",
  );
});

Deno.test("parseCommandLine() reads a variable by its own parser, and the first that is set", pure, () => {
  assertEquals(relay([], { DELAY_TIME: "5" }).options.delay, { min: 0, max: 5 });
  assertEquals(relay([], { DELAY_TIME: "5", REPLY_DELAY: "uniform:1-2" }).options.delay, { min: 1, max: 2 });
});

Deno.test(
  "parseCommandLine() names the option or variable of a bad value, and what is accepted",
  pure,
  () => {
    assertEquals(
      refusal(["--port", "99999"]),
      'Bad value for --port: Expected a port from 0 to 65535, got "99999"',
    );
    assertEquals(
      refusal([], { SERVER_PORT: "x\x1b" }),
      'Bad value in SERVER_PORT: Expected a port from 0 to 65535, got "x\\x1b"',
    );
    assertEquals(
      refusal(["--policy", "rand"]),
      'Bad value for --policy: Expected one of random, source; got "rand"',
    );
    assertEquals(
      refusal(["--offset", "11"]),
      'Bad value for --offset: Expected a whole number from -10 to 10, got "11"',
    );
    assertStringIncludes(refusal(["--offset", "-11"]), "whole number from -10 to 10");
    assertStringIncludes(refusal(["--offset", "1.0"]), "whole number");
    assertStringIncludes(refusal(["get", "GET", "x", "--from", "0"]), "a port from 1 to 65535");
    assertStringIncludes(refusal(["--max-line", "1KB"]), "Bad value for --max-line: Expected a size");
    assertEquals(
      refusal(["--max-line", "0"]),
      'Bad value for --max-line: Expected a size of at least 1B, got "0"',
    );
    assertStringIncludes(
      refusal(["--ack-timeout", "soon"]),
      "Bad value for --ack-timeout: Expected a duration",
    );
    assertEquals(refusal(["--delay", "x"]), "Bad value for --delay: Expected uniform:MIN-MAX, got x");
    assertEquals(
      refusal(["--json=maybe"]),
      'Bad value for --json: Expected true, false, 1 or 0, got "maybe"',
    );
    assertStringIncludes(refusal(["proxy", "--to", "a:0"]), "a port from 1 to 65535");
    assertStringIncludes(refusal(["get", "PUT", "x"]), "Bad value for METHOD: Expected one of GET, HEAD");
  },
);

Deno.test("parseCommandLine() lets an error that is no bad value through", pure, () => {
  const broken = option.custom((): number => {
    throw new EvalError("Broken");
  }, { help: "x", accepts: "x" });
  const options = { broken };
  const tool = {
    ...program,
    defaultCommand: "x",
    commands: { x: { summary: "x", options, examples: [["", "x"], ["", "x"]] } },
  } as const;
  assertThrows(
    () => parseCommandLine(tool, { args: ["--broken", "1"], environment: () => undefined }),
    EvalError,
    "Broken",
  );
});

Deno.test("parseCommandLine() refuses an empty value unless the option takes one", pure, () => {
  for (const args of [["--token", ""], ["--token="]]) {
    assertStringIncludes(refusal(args), "Bad value for --token: Expected a text that is not empty");
  }
  assertStringIncludes(refusal(["--port="]), 'got ""');
  const line = parse(["proxy", "--to", "a:1", "--message", ""]);
  assert(line.command === "proxy");
  assertEquals(line.options.message, "");
});

Deno.test("parseCommandLine() refuses an option without its value", pure, () => {
  assertEquals(refusal(["--port"]), "Option --port needs a value: a port from 0 to 65535");
  assertEquals(
    refusal(["--token", "--json"]),
    'Option --token needs a value: a text that is not empty; a value like "--json" is written --token=VALUE',
  );
  assertStringIncludes(refusal(["--port", "--"]), "Option --port needs a value");
});

Deno.test("parseCommandLine() refuses a second value for what takes one", pure, () => {
  assertEquals(
    refusal(["--port", "1", "--port=2"]),
    "Option --port is given 2 times, and takes one value: a port from 0 to 65535",
  );
  assertStringIncludes(refusal(["--json", "--no-json"]), "Option --json is given 2 times");
});

Deno.test("parseCommandLine() refuses an unknown option, and suggests the one that was meant", pure, () => {
  assertEquals(
    refusal(["--prot", "1"]),
    'Unknown option "--prot" (did you mean --port?); see server.ts relay --help',
  );
  assertStringIncludes(refusal(["--max-lines=3"]), "did you mean --max-line?");
  assertStringIncludes(refusal(["--ack"]), "did you mean --ack-timeout?");
  assertStringIncludes(refusal(["--no-redelivr"]), "did you mean --redeliver?");
  assertStringIncludes(refusal(["-port"]), 'Unknown option "-port" (did you mean --port?)');
  const stranger = refusal(["--frobnicate"]);
  assertStringIncludes(stranger, 'Unknown option "--frobnicate"; see server.ts relay --help');
  assert(!stranger.includes("did you mean"));
  for (
    const name of [
      "--__proto__",
      "--constructor",
      "--host.name",
      "-5",
      "--=x",
      "-p",
      "--no-port",
      "--no-port=1",
      "--no-json=true",
      "--no-",
      "---",
    ]
  ) {
    assertStringIncludes(refusal([name]), "Unknown option", name);
  }
});

Deno.test("parseCommandLine() refuses another command's option, and says whose it is", pure, () => {
  assertEquals(
    refusal(["relay", "--to", "a:1"]),
    "Option --to is not one of service relay, but of proxy; see server.ts relay --help",
  );
  assertStringIncludes(
    refusal(["get", "GET", "x", "--port=1"]),
    "not one of service get, but of relay, proxy",
  );
});

Deno.test("parseCommandLine() refuses an unknown command, and says what there is", pure, () => {
  assertEquals(
    refusal(["rely"]),
    'Unknown service "rely" (did you mean relay?); there is relay, proxy, get',
  );
  assertStringIncludes(refusal(["constructor"]), 'Unknown service "constructor"; there is');
});

Deno.test("parseCommandLine() refuses missing and stray words and options", pure, () => {
  assertStringIncludes(refusal(["proxy"]), "Option --to is required: HOST:PORT");
  assertEquals(refusal(["get", "GET"]), "URL is missing: a text that is not empty");
  assertEquals(refusal(["relay", "x"]), 'Unexpected argument "x": the command takes none');
});

Deno.test("parseCommandLine() never shows a secret", pure, () => {
  for (const args of [["--token="], ["--token", ""], ["--tokn=hush"], ["--token=hush", "--token=hush"]]) {
    assert(!refusal(args).includes("hush"), args.join(" "));
  }
  const secret = option.integer({ help: "x", secret: true, default: 123456 });
  const tool = {
    ...program,
    defaultCommand: "x",
    commands: { x: { summary: "x", options: { secret }, examples: [["", "x"], ["", "x"]] } },
  } as const;
  const environment = () => undefined;
  const error = assertThrows(() => parseCommandLine(tool, { args: ["--secret=hush"], environment }));
  assertInstanceOf(error, UsageError);
  assertEquals(error.message, "Bad value for --secret: Expected a whole number");
  assertEquals(error.cause, undefined);
  const answer = parseCommandLine(tool, { args: ["--help"], environment });
  assert("text" in answer && !answer.text.includes("123456"));
});

Deno.test("parseCommandLine() prints the version", pure, () => {
  assertEquals(help(["--version"]), "server.ts 1.2.3");
});

Deno.test("parseCommandLine() prints help for the program: commands, the default's options", pure, () => {
  const text = help(["-h"]);
  assertStringIncludes(text, "server.ts: A server of lines");
  assertStringIncludes(text, "Usage: server.ts [SERVICE] [OPTIONS]");
  for (const [name, command] of Object.entries(program.commands)) {
    assert(new RegExp(`^  ${name} +${command.summary}`, "m").test(text), name);
  }
  assertStringIncludes(text, "Options of relay:");
  assertStringIncludes(text, "--ack-timeout D");
});

Deno.test(
  "parseCommandLine() prints every option with its default and variables, and the examples",
  pure,
  () => {
    const text = help(["relay", "--port", "nonsense", "--bogus", "--help"]).replaceAll(/\s+/g, " ");
    for (
      const line of [
        "--host H Address to listen on [may repeat; default: 127.0.0.1, ::1; environment: SERVER_HOST]",
        "--port N Port to listen on [default: 8000; environment: SERVER_PORT]",
        "--max-line SIZE Longest line [default: 64KiB]",
        "--json For machines [default: off]",
        "--no-redeliver Do not send again what was not answered [default: off]",
        "--ack-timeout D How long to wait [default: 10s or so]",
        "--offset N A number [default: none]",
        "--delay SPEC How long to hold an answer [default: 0-0; environment: REPLY_DELAY, DELAY_TIME]",
        "--policy random|source Which one [default: random]",
        "--help Print this and exit",
        "--version Print the version and exit",
        "# On a free port server.ts relay --port 0",
      ]
    ) assertStringIncludes(text, line);
    assert(!text.includes("--to "), "only what this command takes");
  },
);

Deno.test("parseCommandLine() prints help of a command's words", pure, () => {
  assertEquals(help(["get", "-h=true"]), help(["get", "--help"]));
  const text = help(["get", "--help"]);
  assertStringIncludes(text, "Usage: server.ts get METHOD URL [HEADER…] [OPTIONS]");
  assert(/^ {2}METHOD +What to do \[default: none, it must be given\]$/m.test(text), text);
});

Deno.test("parseCommandLine() keeps help within 100 columns, with nothing at their ends", pure, () => {
  for (const name of Object.keys(program.commands)) {
    for (const line of help([name, "--help"]).split("\n")) {
      assert(line.length <= 100, line);
      assertEquals(line, line.trimEnd());
    }
  }
});

Deno.test("parseCommandLine() refuses a table in which a name is a flag and takes a value", pure, () => {
  const examples = [["", "x"], ["", "x"]] as const;
  const tool = {
    ...program,
    defaultCommand: "x",
    commands: {
      x: { summary: "x", options: { a: option.flag({ help: "x" }) }, examples },
      y: { summary: "y", options: { a: option.text({ help: "y" }) }, examples },
    },
  } as const;
  assertThrows(
    () => parseCommandLine(tool, { args: [], environment: () => undefined }),
    TypeError,
    "Option --a takes a value in one command and none in another",
  );
});

/** What the command line refuses, and how it says so. */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../cli/terminal/exit.ts";
import * as option from "../../../cli/args/option.ts";
import { parseCommandLine } from "../../../cli/args/options.ts";
import { parse, program, refusal } from "../../_util/programs/command_line.ts";
import { pure } from "../../_util/permissions.ts";

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
  assertStringIncludes(refusal(["proxy"]), "Option --to is required (Where to): HOST:PORT");
  assertEquals(refusal(["get", "GET"]), "URL is missing (Of what): a text that is not empty");
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

/** Errors of the command line. */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../cli/terminal/exit.ts";
import * as option from "../../../cli/args/option.ts";
import { parseCommandLine } from "../../../cli/args/parse.ts";
import { parse, program, refusal } from "../../_util/programs/command_line.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test(
  "parseCommandLine() names the option or variable of an invalid value, and what is accepted",
  pure,
  () => {
    assertEquals(
      refusal(["--port", "99999"]),
      'Cannot use --port: expected a port from 0 to 65535, got "99999"',
    );
    assertEquals(
      refusal([], { SERVER_PORT: "x\x1b" }),
      'Cannot use SERVER_PORT: expected a port from 0 to 65535, got "x\\x1b"',
    );
    assertEquals(
      refusal(["--policy", "rand"]),
      'Cannot use --policy: expected one of random, source, got "rand"',
    );
    assertEquals(
      refusal(["--offset", "11"]),
      'Cannot use --offset: expected an integer from -10 to 10, got "11"',
    );
    assertStringIncludes(refusal(["--offset", "-11"]), "integer from -10 to 10");
    assertStringIncludes(refusal(["--offset", "1.0"]), "an integer");
    assertStringIncludes(refusal(["get", "GET", "x", "--from", "0"]), "a port from 1 to 65535");
    assertStringIncludes(refusal(["--max-line", "1KB"]), "Cannot use --max-line: expected a size");
    assertEquals(
      refusal(["--max-line", "0"]),
      'Cannot use --max-line: expected a size of at least 1B, got "0"',
    );
    assertStringIncludes(
      refusal(["--ack-timeout", "soon"]),
      "Cannot use --ack-timeout: expected a duration",
    );
    assertEquals(refusal(["--delay", "x"]), "Cannot use --delay: expected uniform:MIN-MAX, got x");
    assertEquals(
      refusal(["--json=maybe"]),
      'Cannot use --json: expected true, false, 1, or 0, got "maybe"',
    );
    assertStringIncludes(refusal(["proxy", "--to", "a:0"]), "a port from 1 to 65535");
    assertStringIncludes(refusal(["get", "PUT", "x"]), "Cannot use METHOD: expected one of GET, HEAD");
  },
);

Deno.test("parseCommandLine() rethrows errors other than an invalid value", pure, () => {
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

Deno.test("parseCommandLine() rejects an empty value unless the option accepts one", pure, () => {
  for (const args of [["--token", ""], ["--token="]]) {
    assertStringIncludes(refusal(args), "Cannot use --token: expected a text that is not empty");
  }
  assertStringIncludes(refusal(["--port="]), 'got ""');
  const line = parse(["proxy", "--to", "a:1", "--message", ""]);
  assert(line.command === "proxy");
  assertEquals(line.options.message, "");
});

Deno.test("parseCommandLine() rejects an option without its value", pure, () => {
  assertEquals(refusal(["--port"]), "Cannot use --port without a value: expected a port from 0 to 65535");
  assertEquals(
    refusal(["--token", "--json"]),
    'Cannot use --token without a value: expected a text that is not empty; write a value like "--json" as --token=VALUE',
  );
  assertStringIncludes(refusal(["--port", "--"]), "Cannot use --port without a value");
});

Deno.test("parseCommandLine() rejects a second value for an option that is not repeatable", pure, () => {
  assertEquals(
    refusal(["--port", "1", "--port=2"]),
    "Cannot use --port 2 times: expected one value, a port from 0 to 65535",
  );
  assertStringIncludes(refusal(["--json", "--no-json"]), "Cannot use --json 2 times");
});

Deno.test("parseCommandLine() rejects an unknown option and suggests a similar one", pure, () => {
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

Deno.test("parseCommandLine() rejects another command's option and names that command", pure, () => {
  assertEquals(
    refusal(["relay", "--to", "a:1"]),
    "Cannot use --to with service relay: it is an option of proxy; see server.ts relay --help",
  );
  assertStringIncludes(
    refusal(["get", "GET", "x", "--max-line=1"]),
    "Cannot use --max-line with service get: it is an option of relay",
  );
  assertEquals(
    refusal(["get", "GET", "x", "--port=1"]),
    "Cannot use --port with service get: name the port in the URL; see server.ts get --help",
  );
});

Deno.test("parseCommandLine() rejects an unknown command and lists the known ones", pure, () => {
  assertEquals(
    refusal(["rely"]),
    'Unknown service "rely" (did you mean relay?); expected relay, proxy, get',
  );
  assertStringIncludes(refusal(["constructor"]), 'Unknown service "constructor"; expected relay');
});

Deno.test("parseCommandLine() rejects missing options, missing words, and extra words", pure, () => {
  assertStringIncludes(refusal(["proxy"]), "Missing option --to (Where to): expected HOST:PORT");
  assertEquals(refusal(["get", "GET"]), "Missing argument URL (Of what): expected a value, as in http://a");
  assertEquals(refusal(["relay", "x"]), 'Unexpected argument "x": expected none');
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
  assertEquals(error.message, "Cannot use --secret: expected an integer");
  assertEquals(error.cause, undefined);
  const answer = parseCommandLine(tool, { args: ["--help"], environment });
  assert("text" in answer && !answer.text.includes("123456"));
});

Deno.test(
  "parseCommandLine() rejects a table in which one name is both a flag and an option with a value",
  pure,
  () => {
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
  },
);

Deno.test("parseCommandLine() names the option when a parser says what it cannot use", pure, () => {
  assertEquals(refusal(["--delay", "none"]), 'Cannot use --delay "none": expected uniform:MIN-MAX');
});

Deno.test(
  "parseCommandLine() takes the first word for a misspelled command when there are too many words",
  pure,
  () => {
    const examples = [["", "x"], ["", "x"]] as const;
    const tool = {
      ...program,
      commandNoun: "command",
      defaultCommand: "run",
      commands: {
        run: { summary: "x", positionals: { file: option.text({ help: "x" }) }, options: {}, examples },
        verify: { summary: "x", options: {}, examples },
      },
    } as const;
    const errorOf = (args: readonly string[]): string =>
      assertThrows(() => parseCommandLine(tool, { args, environment: () => undefined }), UsageError).message;
    assertEquals(
      errorOf(["rum", "echo.ts"]),
      'Unknown command "rum" (did you mean run?); expected run, verify',
    );
    assertStringIncludes(errorOf(["run", "echo.ts", "more"]), 'Unexpected argument "more"');
    const line = parseCommandLine(tool, { args: ["echo.ts"], environment: () => undefined });
    assert(!("text" in line) && line.command === "run" && line.positionals.file === "echo.ts");
  },
);

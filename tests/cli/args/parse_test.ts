/** Values read from the command line. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Address } from "../../../socket/network.ts";
import { type Delay, help, parse, refusal, relay } from "../../_util/programs/command_line.ts";
import { pure } from "../../_util/permissions.ts";

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
      maxOpen: undefined,
    },
    given: new Set<string>(),
    positionals: {},
  });
});

Deno.test("parseCommandLine() types its result by the table", pure, () => {
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

Deno.test(
  "parseCommandLine() accepts the former name of an option, and shows only the present one",
  pure,
  () => {
    for (const args of [["--most-open", "5"], ["--most-open=5"], ["--max-open", "5"]]) {
      assertEquals(relay(args).options.maxOpen, 5);
    }
    assertEquals(
      refusal(["--most-open", "5", "--max-open", "6"]),
      "Cannot use --max-open 2 times: expected one value, an integer",
    );
    assertStringIncludes(refusal(["proxy", "--most-open", "5"]), "Cannot use --max-open with service proxy");
    const shown = help(["relay", "--help"]);
    assert(shown.includes("--max-open N") && !shown.includes("most-open"));
  },
);

Deno.test("parseCommandLine() returns the names of the options on the command line", pure, () => {
  assertEquals([...relay(["--no-redeliver", "--most-open=5", "--token", "x"]).given].toSorted(), [
    "maxOpen",
    "redeliver",
    "token",
  ]);
  const { options, given } = relay([], { SERVER_PORT: "9000" });
  assertEquals([options.port, given.size], [9000, 0]);
});

Deno.test("parseCommandLine() accepts negative numbers and single dashes as values", pure, () => {
  assertEquals(relay(["--offset", "-5"]).options.offset, -5);
  assertEquals(relay(["--offset=-5"]).options.offset, -5);
  assertEquals(relay(["--token", "-x"]).options.token, "-x");
  assertEquals(relay(["--token", "-"]).options.token, "-");
});

Deno.test("parseCommandLine() accepts any text as a value after =", pure, () => {
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

Deno.test("parseCommandLine() never uses the word after a flag as its value", pure, () => {
  const line = parse(["--json", "get", "GET", "true"]);
  assert(line.command === "get");
  assertEquals(line.options.json, true);
  assertEquals(line.positionals.url, "true");
});

Deno.test("parseCommandLine() collects the values of a repeatable option in order", pure, () => {
  assertEquals(relay(["--host", "::1", "--host=a"]).options.host, ["::1", "a"]);
});

Deno.test(
  "parseCommandLine() finds the command after options, whose values are never commands",
  pure,
  () => {
    const line = parse(["--port", "1", "proxy", "--to", "a:1"]);
    assertEquals(line.command, "proxy");
    assertEquals(relay(["--token", "proxy"]).options.token, "proxy");
  },
);

Deno.test("parseCommandLine() reads everything after -- as words, never as a command", pure, () => {
  const line = parse(["get", "GET", "--", "--json", "-5", "--"]);
  assert(line.command === "get");
  assertEquals(line.positionals, { method: "GET", url: "--json", header: ["-5", "--"] });
  assertEquals(refusal(["--", "get"]), 'Unexpected argument "get": expected none');
});

Deno.test("parseCommandLine() keeps words unchanged, including numbers", pure, () => {
  const line = parse(["get", "GET", "007", "1e3", "-"]);
  assert(line.command === "get");
  assertEquals(line.positionals, { method: "GET", url: "007", header: ["1e3", "-"] });
});

Deno.test(
  "parseCommandLine() prefers the command line to the environment, and that to the default",
  pure,
  () => {
    assertEquals(relay([], { SERVER_PORT: "1" }).options.port, 1);
    assertEquals(relay(["--port", "2"], { SERVER_PORT: "1" }).options.port, 2);
    assertEquals(relay(["--port", "2"], { SERVER_PORT: "nonsense" }).options.port, 2);
    assertEquals(relay([], { SERVER_PORT: "" }).options.port, 8000);
  },
);

Deno.test("parseCommandLine() splits the variable of a repeatable option at commas", pure, () => {
  assertEquals(relay([], { SERVER_HOST: "::1, a" }).options.host, ["::1", "a"]);
  assertStringIncludes(
    refusal([], { SERVER_HOST: "a,,b" }),
    "Cannot use SERVER_HOST: expected an IP address",
  );
});

Deno.test(
  "parseCommandLine() reads a variable with its own parser, and uses the first that is set",
  pure,
  () => {
    assertEquals(relay([], { DELAY_TIME: "5" }).options.delay, { min: 0, max: 5 });
    assertEquals(relay([], { DELAY_TIME: "5", REPLY_DELAY: "uniform:1-2" }).options.delay, {
      min: 1,
      max: 2,
    });
  },
);

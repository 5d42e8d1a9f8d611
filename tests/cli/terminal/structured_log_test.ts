import { assertEquals, assertMatch } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { Log } from "../../../cli/terminal/log.ts";
import { startStructuredLog, type StructuredLogOptions } from "../../../cli/terminal/structured_log.ts";
import { CollectedOutput } from "../../_util/collected_output.ts";

/** A log into memory, whose time is moved by hand. */
function start(options: Partial<StructuredLogOptions> = {}) {
  let now = 0;
  const stderr = new CollectedOutput();
  const writer = startStructuredLog({
    program: "server",
    format: "text",
    level: "info",
    stderr,
    noColor: true,
    now: () => now,
    ...options,
  });
  return {
    log: new Log({ writer, stdout: stderr }),
    lines: () => stderr.text.split("\n").slice(0, -1),
    advance: (ms: number) => now += ms,
    [Symbol.dispose]: () => writer[Symbol.dispose](),
  };
}

Deno.test("startStructuredLog() writes the text of messages as a plain log does", () => {
  using started = start();
  const { log, lines } = started;
  log.info("SIGTERM: draining");
  log.warn("{peer} refused, {why}", { peer: "127.0.0.1:5", why: "busy" });
  log.error("Cannot serve {peer}: braces {{ }}", { peer: "{why}" });
  log.info("{not} a template, and {{ stays");
  log.debug("details");
  assertEquals(lines(), [
    "SIGTERM: draining",
    "warning: 127.0.0.1:5 refused, busy",
    "error: Cannot serve {why}: braces { }",
    "{not} a template, and {{ stays",
  ]);
});

Deno.test("startStructuredLog() writes JSON lines with time, level, and fields", () => {
  using started = start({ format: "json", level: "debug" });
  const { log, lines } = started;
  log.debug("{peer} closed, {reason}", {
    event: "closed",
    peer: "127.0.0.1:5",
    reason: "natural",
    bytesIn: 7,
  });
  log.warn("plain {text}");
  const [closed, plain] = lines().map((line) => JSON.parse(line));
  assertMatch(closed["@timestamp"], /^\d{4}-\d\d-\d\dT/);
  assertEquals({ ...closed, "@timestamp": 0 }, {
    "@timestamp": 0,
    level: "DEBUG",
    message: "127.0.0.1:5 closed, natural",
    logger: "okline.server",
    pid: Deno.pid,
    event: "closed",
    peer: "127.0.0.1:5",
    reason: "natural",
    bytesIn: 7,
  });
  assertEquals([plain.level, plain.message], ["WARN", "plain {text}"]);
});

Deno.test("startStructuredLog() escapes what affects a terminal in JSON", () => {
  using started = start({ format: "json" });
  started.log.error("{text}", { text: "\u202e\u009b\x1b[2J\u2028" });
  const line = started.lines()[0]!;
  assertMatch(line, /^[\x20-\x7e]*$/);
  assertEquals(JSON.parse(line).text, "\u202e\u009b\x1b[2J\u2028");
});

Deno.test("startStructuredLog() leaves out repeats, and says how many", () => {
  using started = start();
  const { log, lines, advance } = started;
  for (let peer = 0; peer < 1000; peer++) log.error("Cannot serve {peer}", { peer });
  log.error("Something else");
  advance(10_000);
  log.error("Cannot serve {peer}", { peer: "last" });
  assertEquals(lines(), [
    ...[0, 1, 2, 3, 4].map((peer) => `error: Cannot serve ${peer}`),
    "error: Something else",
    "error: Left out 995 more like: Cannot serve 999",
    "error: Cannot serve last",
  ]);
});

Deno.test("startStructuredLog() reports repeats that it has left out when it is disposed of", () => {
  const { lines, log, ...started } = start({ format: "json" });
  for (let count = 0; count < 7; count++) log.warn("{count}", { count });
  started[Symbol.dispose]();
  const last = JSON.parse(lines().at(-1)!);
  assertEquals([last.level, last.message, last.suppressed], ["WARN", "Left out 2 more like: 6", 2]);
});

Deno.test("startStructuredLog() writes every message that was asked for", () => {
  using started = start({ level: "debug" });
  const { log, lines } = started;
  for (let count = 0; count < 20; count++) {
    log.debug("{count} closed", { count });
    log.access("{count} passed", { count });
  }
  assertEquals(lines().length, 40);
});

Deno.test("startStructuredLog() writes what other code logs with LogTape", () => {
  using started = start();
  getLogger(["okline", "my-service"]).info("Hello, {name}", { name: "Ada" });
  assertEquals(started.lines(), ["Hello, Ada"]);
});

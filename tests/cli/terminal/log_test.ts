import { assert, assertEquals, assertThrows } from "@std/assert";
import { ExitError } from "../../../cli/terminal/exit.ts";
import { Log } from "../../../cli/terminal/log.ts";
import { type Sink, writeLine } from "../../../cli/terminal/write.ts";
import { pure } from "../../_util/permissions.ts";

/** A sink that takes at most `most` bytes a write, and is full at every second one where `stalls`. */
function memorySink(
  options: { terminal?: boolean; most?: number; stalls?: boolean } = {},
): Sink & { text(): string } {
  const bytes: number[] = [];
  let calls = 0;
  return {
    isTerminal: () => options.terminal ?? false,
    writeSync(given): number {
      if (options.stalls && calls++ % 2 === 0) throw new Deno.errors.WouldBlock("Full");
      const taken = given.subarray(0, options.most ?? given.length);
      bytes.push(...taken);
      return taken.length;
    },
    text: () => new TextDecoder().decode(Uint8Array.from(bytes)),
  };
}

Deno.test("Log.result() writes a line of text to stdout", pure, () => {
  const [stdout, stderr] = [memorySink(), memorySink()];
  new Log({ stdout, stderr }).result("listening on ::1", { event: "listening" });
  assertEquals([stdout.text(), stderr.text()], ["listening on ::1\n", ""]);
});

Deno.test("Log.result() writes an object to stdout and text to stderr when json is set", pure, () => {
  const [stdout, stderr] = [memorySink(), memorySink()];
  new Log({ stdout, stderr, json: true }).result("a\nb", { event: "x", text: "a\nb" });
  assertEquals([stdout.text(), stderr.text()], ['{"event":"x","text":"a\\nb"}\n', "a\nb\n"]);
});

Deno.test(
  "Log.result() escapes control characters without changing the value when json is set",
  pure,
  () => {
    const stdout = memorySink();
    const record = { event: "x", text: "\x1b[2J\x7f\x9b31m\u202eevil\u2028\u200b\u{e0001}é\u{1f600}" };
    new Log({ stdout, quiet: true, json: true }).result("", record);
    assertEquals(
      stdout.text(),
      '{"event":"x","text":"\\u001b[2J\\u007f\\u009b31m\\u202eevil\\u2028\\u200b\\udb40\\udc01é\u{1f600}"}\n',
    );
    assertEquals(JSON.parse(stdout.text()), record);
  },
);

Deno.test("Log writes only results, warnings, and errors when quiet", pure, () => {
  const [stdout, stderr] = [memorySink(), memorySink()];
  const log = new Log({ stdout, stderr, quiet: true });
  log.info("gone");
  log.result("result", {});
  log.warn("careful");
  log.error("broken");
  assertEquals([stdout.text(), stderr.text()], ["result\n", "warning: careful\nerror: broken\n"]);
  new Log({ stdout, stderr, quiet: true, json: true }).result("gone", { a: 1 });
  assertEquals(stdout.text(), 'result\n{"a":1}\n');
  assert(!stderr.text().includes("gone"));
});

Deno.test("Log.info() writes only to stderr", pure, () => {
  const [stdout, stderr] = [memorySink(), memorySink()];
  new Log({ stdout, stderr }).info("by the way");
  assertEquals([stdout.text(), stderr.text()], ["", "by the way\n"]);
});

Deno.test("Log uses colors only on a terminal without NO_COLOR", pure, () => {
  const painted = memorySink({ terminal: true });
  new Log({ stderr: painted, noColor: false }).error("broken");
  // NO_COLOR in the environment of the tests takes the colors away for good.
  assertEquals(painted.text(), Deno.noColor ? "error: broken\n" : "\x1b[31merror:\x1b[39m broken\n");
  for (const [terminal, noColor] of [[true, true], [false, false]] as const) {
    const plain = memorySink({ terminal });
    new Log({ stderr: plain, noColor }).warn("careful");
    assertEquals(plain.text(), "warning: careful\n");
  }
});

Deno.test("writeLine() writes the whole line when the sink accepts a few bytes at a time", pure, () => {
  const sink = memorySink({ most: 3 });
  writeLine(sink, "Grüße aus Köln");
  assertEquals(sink.text(), "Grüße aus Köln\n");
});

Deno.test("writeLine() waits when the sink is full", pure, () => {
  const sink = memorySink({ most: 3, stalls: true });
  writeLine(sink, "all of it");
  assertEquals(sink.text(), "all of it\n");
});

Deno.test("writeLine() throws an ExitError when the reader has gone", pure, () => {
  const closed: Sink = {
    isTerminal: () => false,
    writeSync() {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  };
  assertThrows(() => writeLine(closed, "x"), ExitError, "its reader has gone");
});

Deno.test("writeLine() throws an ExitError when the disk is full", pure, () => {
  const full: Sink = {
    isTerminal: () => false,
    writeSync() {
      throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    },
  };
  assertThrows(() => writeLine(full, "x"), ExitError, "no space is left");
});

Deno.test(
  "Log ignores a terminal that has hung up, and reports a file that it cannot write",
  pure,
  () => {
    let there = true;
    const stderr: Sink = {
      isTerminal: () => there,
      writeSync() {
        throw Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
      },
    };
    const log = new Log({ stderr });
    there = false;
    log.warn("not seen by anybody");
    assertThrows(() => new Log({ stderr }).warn("lost"), Error, "Input/output error");
  },
);

import { assertEquals, assertRejects } from "@std/assert";
import { logFailure, lowestLevel } from "../../../cli/shared/program_log.ts";
import { ExitError } from "../../../cli/terminal/exit.ts";
import { Log } from "../../../cli/terminal/log.ts";
import { fillTemplate, literally } from "../../../cli/terminal/log_message.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("lowestLevel() returns the level that was asked for, at least warnings when quiet", pure, () => {
  const level = (quiet: boolean, verbose: boolean, logLevel?: "debug" | "info" | "warning" | "error") =>
    lowestLevel({ quiet, logLevel }, { verbose });
  assertEquals(level(false, false), "info");
  assertEquals(level(false, true), "debug");
  assertEquals(level(false, true, "warning"), "warning");
  assertEquals(level(true, true), "warning");
  assertEquals(level(true, false, "debug"), "warning");
  assertEquals(level(true, false, "error"), "error");
});

Deno.test("logFailure() logs the error that ends a program, and returns its exit code", pure, async () => {
  const written: unknown[] = [];
  const log = new Log({ writer: { lowest: "info", write: (...message) => written.push(message) } });
  const code = await logFailure(log, () => Promise.reject(new ExitError("Cannot {start}", { exitCode: 3 })));
  assertEquals([code, written], [3, [["error", "Cannot {start}", undefined]]]);
  await assertRejects(() => logFailure(log, () => Promise.reject(new TypeError("bug"))), TypeError, "bug");
});

Deno.test("fillTemplate() returns the text itself for what literally() returns", pure, () => {
  for (const text of ["{peer}", "{{", "a } b { c", "{{peer}}", ""]) {
    assertEquals(fillTemplate(literally(text), { peer: "x" }), text);
  }
});

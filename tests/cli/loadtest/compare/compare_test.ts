import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { compareFiles } from "../../../../cli/loadtest/compare/compare.ts";
import { ExitCode, ExitError } from "../../../../cli/terminal/exit.ts";
import { Log } from "../../../../cli/terminal/log.ts";
import { goodRun } from "../../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../../_util/loadtest/run_summary.ts";
import { TempDir } from "../../../_util/temp_dir.ts";
import { CollectedOutput } from "../../../_util/collected_output.ts";

const SUMMARY = JSON.stringify(summaryOf(goodRun(10)));

/** Compares two files of these texts, and returns the exit code and everything that is printed. */
async function compare(before: string, after: string): Promise<{ code: ExitCode; out: string; err: string }> {
  await using folder = new TempDir();
  await folder.write("before.json", before);
  await folder.write("after.json", after);
  const [stdout, stderr] = [new CollectedOutput(), new CollectedOutput()];
  const log = new Log({ json: true, quiet: true, stdout, stderr });
  const files = { before: `${folder.path}/before.json`, after: `${folder.path}/after.json` };
  return { code: await compareFiles(files, log), out: stdout.text, err: stderr.text };
}

Deno.test("compareFiles() names and counts truncated summaries", async () => {
  const cut = SUMMARY.slice(0, 100);
  const { code, out, err } = await compare(`${SUMMARY}\n${cut}\n${SUMMARY}\n`, SUMMARY);
  assertEquals(code, ExitCode.ok);
  assertEquals(JSON.parse(out).unreadable, 1);
  assertStringIncludes(err, "warning: Skipping 1 summary in ");
  assertStringIncludes(err, "line 2 is not valid JSON; comparing the other 2");
});

Deno.test("compareFiles() ignores other text between summaries", async () => {
  const { code, out, err } = await compare(`Starting\n${SUMMARY}\n\n`, `${SUMMARY}\nDone\n`);
  assertEquals([code, err, JSON.parse(out).unreadable], [ExitCode.ok, "", 0]);
});

Deno.test("compareFiles() accepts a byte order mark", async () => {
  const { code, err } = await compare(`\uFEFF${SUMMARY}`, `\uFEFF${SUMMARY}\n${SUMMARY}\n`);
  assertEquals([code, err], [ExitCode.ok, ""]);
});

Deno.test("compareFiles() rejects a file of truncated summaries only, and names the line", async () => {
  const error = await assertRejects(() => compare(SUMMARY, SUMMARY.slice(0, -1)), ExitError);
  assertStringIncludes(
    error.message,
    "expected a summary with schema 1, found none, and 1 line of it cannot be read: line 1",
  );
});

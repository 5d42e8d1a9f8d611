/** The files that a load test writes, and its processes when their group is signaled. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatHistoryLine } from "../../../loadtest/history/line_format.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { childrenOf, loadTest, readOr, startLoadTest, when } from "../../_util/loadtest/loadtest_program.ts";
import { goodRun } from "../../_util/loadtest/run_events.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const SMALL = ["--clients", "20", "--window", "100ms", "--json", "--quiet", ...ANY_LAG];

/** A folder with files of an earlier run. */
async function earlierRun(): Promise<TempDir> {
  const folder = new TempDir();
  for (const name of ["report.html", "run.csv", "run.jsonl", "run.xml"]) await folder.write(name, "earlier");
  return folder;
}

function optionsFor({ path }: TempDir): string[] {
  return [
    ...["--report", `${path}/report.html`, "--history", `${path}/run.jsonl`],
    ...["--junit", `${path}/run.xml`, "--out", `csv=${path}/run.csv`],
  ];
}

function contents({ path }: TempDir): Record<string, string> {
  return Object.fromEntries([...Deno.readDirSync(path)].map(({ name }) => [name, readOr(`${path}/${name}`)]));
}

Deno.test("loadtest.ts leaves earlier files alone when it is rejected before it starts", async () => {
  await using folder = await earlierRun();
  const before = contents(folder);
  for (
    const [code, ...args] of [
      [1, "--tls", "--tls-ca", "ca.pem"],
      [2, "--target", "127.0.0.1:1", "--port", "1"],
      [1, "--payload", "file:/no/such/file"],
      [1, "--target", "127.0.0.1:1", "--tls", "--tls-ca", "/no/such/file"],
    ] as const
  ) {
    const run = await refusalOf("loadtest.ts", [...optionsFor(folder), ...args]);
    assertEquals([run.code, run.out], [code, ""], run.err);
    assertEquals(contents(folder), before, args.join(" "));
  }
});

Deno.test("loadtest.ts replaces earlier files when it ends, and leaves no draft", async () => {
  await using folder = await earlierRun();
  const { code, err } = await loadTest(...SMALL, ...optionsFor(folder));
  assertEquals([code, err], [0, ""]);
  const files = contents(folder);
  assertEquals(Object.keys(files).sort(), ["report.html", "run.csv", "run.jsonl", "run.xml"]);
  assertStringIncludes(files["report.html"]!, "</html>");
  assertStringIncludes(files["run.xml"]!, "</testsuite");
  assertStringIncludes(files["run.csv"]!, "\r\n0,20,");
  assertEquals((await loadTest("verify", `${folder.path}/run.jsonl`, "--json")).summary.verdict, "proven");
});

Deno.test("loadtest.ts verify prints the first findings of a kind, and with --all every one", async () => {
  await using folder = new TempDir();
  const events = goodRun(30).filter(({ event }) => event !== "ack");
  await folder.write("run.jsonl", events.map((event) => `${formatHistoryLine(event)}\n`).join(""));
  const file = `${folder.path}/run.jsonl`;
  const [first, all] = await Promise.all([loadTest("verify", file), loadTest("verify", file, "--all")]);
  assertEquals([first.code, all.code], [1, 1]);
  assertStringIncludes(first.out, " more like this)\n");
  assertStringIncludes(first.out, ": see --all\n");
  for (let client = 0; client < 30; client++) {
    assertMatch(all.out, new RegExp(`\\bclient ${client} \\(`, "i"));
  }
});

Deno.test("loadtest.ts rejects one file for two outputs, and - as a file", async () => {
  await using folder = await earlierRun();
  const file = `${folder.path}/run.jsonl`;
  const same = await refusalOf("loadtest.ts", ["--history", file, "--report", file]);
  assertEquals([same.code, same.out], [2, ""]);
  assertStringIncludes(same.err, "for --history and --report: expected two different files");
  for (const option of ["--history", "--report", "--junit"]) {
    const { code, err } = await refusalOf("loadtest.ts", [option, "-"]);
    assertEquals(code, 2);
    assertStringIncludes(err, `Cannot use ${option}: expected the name of a file, not -`);
  }
});

Deno.test("loadtest.ts waits with durations longer than a timer of the runtime", async () => {
  const { code, summary } = await loadTest(...SMALL, "--timeout", "30d", "--deadline", "100d");
  assertEquals([code, summary.verdict, summary.acked], [0, "proven", 20]);
});

Deno.test("loadtest.ts is interrupted, and its server is not blamed, when the process group gets SIGTERM", async () => {
  await using folder = new TempDir();
  const history = `${folder.path}/run.jsonl`;
  const program = startLoadTest(
    ...["--clients", "2000", "--window", "4s", "--json", "--quiet", "--history", history],
    ...["--processes", "2", ...ANY_LAG],
  );
  await when(() => readOr(`${history}.part-0`).includes('"event":"ack"'));
  const children = ["own-server", "generator"].flatMap((word) => childrenOf(program.pid, word));
  assertEquals(children.length, 3);
  // Like timeout(1), which signals its child and then the group of both.
  for (const pid of [program.pid, ...children, program.pid]) Deno.kill(pid, "SIGTERM");
  const { code, summary } = await program.outcome;
  assertEquals([code, summary.verdict, summary.unexpected], [130, "interrupted", 0]);
  assertEquals(summary.server, { ...summary.server as object, connections: 0, pending: 0, descriptors: 0 });
});

Deno.test("loadtest.ts --log-format json logs JSON only, and leaves stdout as it is", async () => {
  const args = ["--clients", "20", "--window", "100ms", "--json", "--log-format", "json", ...ANY_LAG];
  const { code, out, err, summary } = await loadTest(...args);
  assertEquals([code, out.trimEnd().split("\n").length, summary.verdict], [0, 1, "proven"]);
  const messages = err.trimEnd().split("\n").map((line) => String(JSON.parse(line).message));
  assertMatch(messages.at(0) ?? "", /^20 clients over 0\.1 s/);
  assertStringIncludes(messages.at(-1) ?? "", "PROVEN: ");
  const warnings = await loadTest(...args, "--log-level", "warning");
  assertEquals([warnings.code, warnings.err], [0, ""]);
});

// Load tests of servers that are several processes.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const SMALL = ["--clients", "120", "--window", "500ms", "--json", "--quiet", ...ANY_LAG];

interface Left {
  readonly connections: number;
  readonly pending: number;
  readonly timers: number;
  readonly queuedBytes: number;
  readonly descriptors: number;
  readonly restarts: number;
  readonly processes: readonly {
    readonly pid: number;
    readonly accepted: number;
    readonly messages: number;
  }[];
}

function assertZero({ connections, pending, timers, queuedBytes, descriptors, restarts }: Left): void {
  assertEquals([connections, pending, timers, queuedBytes, descriptors, restarts], [0, 0, 0, 0, 0, 0]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

Deno.test("loadtest.ts --server-processes proves zero state over all processes, and verifies their history", async () => {
  await using folder = new TempDir();
  const [history, report] = [`${folder.path}/run.jsonl`, `${folder.path}/run.html`];
  const run = await loadTest(...SMALL, "--server-processes", "3", "--history", history, "--report", report);
  assertEquals([run.code, run.summary.verdict], [0, "proven"], run.err);
  // Processes that did not end by themselves would be killed after 5 s.
  assert(!run.err.includes("error"), run.err);
  const server = run.summary.server as Left;
  assertZero(server);
  assertEquals(server.processes.length, 3);
  assertEquals(sum(server.processes.map(({ accepted }) => accepted)), 120);
  const pids = server.processes.map(({ pid }) => pid);
  assertEquals(new Set(pids).size, 3);
  const lines = Deno.readTextFileSync(history).split("\n");
  for (const event of ["accepted", "ended"]) {
    assertEquals(lines.filter((line) => line.startsWith(`{"event":"${event}"`)).length, 120, event);
  }
  assertEquals((await loadTest("verify", history, "--json")).summary.verdict, "proven");
  const page = Deno.readTextFileSync(report);
  for (const pid of pids) assertStringIncludes(page, `connections to process ${pid}`);
});

Deno.test(
  "loadtest.ts --cluster proves a server whose processes relay over NATS",
  { ignore: !HAS_NATS },
  async () => {
    await using nats = await NatsServer.start();
    const run = await loadTest(...SMALL, "--server-processes", "2", "--cluster", nats.url);
    assertEquals([run.code, run.summary.verdict], [0, "proven"], run.err);
    const server = run.summary.server as Left;
    assertZero(server);
    assert(sum(server.processes.map(({ messages }) => messages)) >= 120);
  },
);

Deno.test("loadtest.ts rejects --server-processes and --cluster for a server that it does not start", async () => {
  for (const args of [["--server-processes", "2"], ["--cluster", "nats://127.0.0.1:4222"]]) {
    const { code, err } = await loadTest("--target", "127.0.0.1:9", ...args);
    assertEquals(code, 2);
    assertStringIncludes(err, "--server-processes or --cluster with --target");
  }
  const { code, err } = await loadTest("--protocol", "echo", "--cluster", "nats://127.0.0.1:4222");
  assertEquals(code, 2);
  assertStringIncludes(err, "--cluster with --protocol echo");
});

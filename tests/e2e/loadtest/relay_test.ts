import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ANY_LAG, ANY_LAG_MS } from "../../_util/loadtest/any_lag.ts";
import { loadTest, type Outcome } from "../../_util/loadtest/loadtest_program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";

const SMALL = ["--clients", "300", "--window", "1s", "--json", "--quiet", ...ANY_LAG];

/** A history in a folder of its own, which goes when the test is over. */
class HistoryPath implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly path = `${this.folder}/run.jsonl`;

  lines(): string[] {
    return Deno.readTextFileSync(this.path).trimEnd().split("\n");
  }

  count(event: string): number {
    return this.lines().filter((line) => line.startsWith(`{"event":"${event}"`)).length;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

async function verify(path: string): Promise<Outcome> {
  return await loadTest("verify", path, "--json");
}

Deno.test("loadtest.ts proves a spawned server, and its last line has every metric", async () => {
  const { code, summary } = await loadTest(
    ...["--clients", "1000", "--window", "2s", "--seed", "7", "--json", ...ANY_LAG],
  );
  const {
    confidence,
    latency,
    connect,
    scheduleLag,
    cpu,
    memory,
    held,
    fairness,
    durationMs,
    server,
    ...counts
  } = summary;
  assertEquals(code, 0);
  const { closed, ...state } = server as { closed: Record<string, number> };
  assertEquals(state, { connections: 0, pending: 0, timers: 0, queuedBytes: 0, descriptors: 0 });
  assertEquals([closed.natural, closed.reset], [1000, 0]);
  const { redelivered, peakConnections, ...exact } = counts;
  assertEquals(exact, {
    verdict: "proven",
    seed: 7,
    clients: 1000,
    started: 1000,
    acked: 1000,
    lost: 0,
    unexpected: 0,
    duplicates: 0,
    recovered: 0,
    resent: 0,
    reconnects: 0,
    refused: 0,
    underWay: 0,
    stray: counts.stray,
    closed: { natural: 1000, timeout: 0, error: 0 },
    findings: [],
    findingCounts: {},
    thresholds: [],
    plan: {
      windowMs: 2000,
      arrival: "uniform",
      replyDelay: "0",
      payload: "short",
      timeoutMs: 30_000,
      lingerMs: 0,
      deadlineMs: 62_000,
      maxLagMs: ANY_LAG_MS,
    },
    schema: 1,
  });
  assert(Number(redelivered) < 1000 && Number(peakConnections) > 0 && Number(durationMs) > 1900);
  for (const figures of [latency, connect, scheduleLag, held] as Record<string, number>[]) {
    const { p50 = -1, p90 = -1, p95 = -1, p99 = -1, p999 = -1, max = -1 } = figures;
    assert(
      0 <= p50 && p50 <= p90 && p90 <= p95 && p95 <= p99 && p99 <= p999 && p999 <= max,
      JSON.stringify(figures),
    );
  }
  assertEquals((confidence as { level: number }).level, 0.99);
  const { unit, fromPlanned, relay } = latency as Record<string, unknown>;
  assertEquals([unit, typeof fromPlanned, typeof relay, typeof fairness], [
    "ms",
    "object",
    "object",
    "number",
  ]);
  for (const use of [cpu, memory] as Record<string, number>[]) {
    assert(Number(use.server) > 0 && Number(use.generator) > 0, JSON.stringify(use));
  }
});

Deno.test("loadtest.ts proves every kind of string with delayed replies from two processes, and verify agrees", async () => {
  using history = new HistoryPath();
  const { code, summary } = await loadTest(
    ...["--clients", "1000", "--window", "1s", "--seed", "7", "--payload", "mixed", "--json", "--quiet"],
    ...["--reply-delay", "uniform:0s-1s", "--processes", "2", "--history", history.path],
    ...ANY_LAG,
  );
  assertEquals([code, summary.verdict, summary.acked], [0, "proven", 1000]);
  assertEquals([...Deno.readDirSync(history.folder)].map(({ name }) => name), ["run.jsonl"]);
  for (const event of ["planned", "start", "connect", "send", "ack", "close", "accepted", "ended"]) {
    assertEquals([event, history.count(event)], [event, 1000]);
  }
  const times = history.lines().filter((line) => !line.includes('"planned"')).flatMap((line) => {
    return /"at":([\d.]+)/.exec(line)?.slice(1).map(Number) ?? [];
  });
  assertEquals(times, times.toSorted((one, other) => one - other));
  const judged = await verify(history.path);
  assertEquals([judged.code, judged.summary.verdict, judged.summary.findings], [0, "proven", []]);
});

Deno.test("loadtest.ts verify detects one edited line of a history", async () => {
  using history = new HistoryPath();
  assertEquals((await loadTest(...SMALL, "--history", history.path)).code, 0);
  const lines = history.lines();
  const place = lines.findIndex((line) => line.startsWith('{"event":"ack"'));
  Deno.writeTextFileSync(history.path, lines.with(place, lines[place + 1] ?? "").join("\n") + "\n");
  const { code, summary } = await verify(history.path);
  assertEquals([code, summary.verdict, summary.recorded], [1, "failed", "proven"]);
  assertStringIncludes(String(summary.findings), "The history was changed after it was written");
});

Deno.test("loadtest.ts exits with 99 when a threshold is crossed, and verify agrees", async () => {
  using history = new HistoryPath();
  const { code, summary } = await loadTest(
    ...SMALL,
    "--threshold",
    "p50<0.001ms",
    "--threshold",
    "lost==0",
    "--history",
    history.path,
  );
  assertEquals([code, summary.verdict, summary.acked], [99, "threshold", 300]);
  const judged = await verify(history.path);
  assertEquals([judged.code, judged.summary.verdict], [99, "threshold"]);
});

Deno.test("loadtest.ts raises the limits of its spawned server when the run needs it", async () => {
  const { code, summary } = await loadTest(
    ...["--clients", "20", "--window", "200ms", "--payload", "size:300KiB", "--json", "--quiet", ...ANY_LAG],
  );
  assertEquals([code, summary.verdict, summary.findings], [0, "proven", []]);
});

Deno.test("loadtest.ts proves a run with injected faults", async () => {
  using history = new HistoryPath();
  const { code, summary } = await loadTest(
    ...[...SMALL, "--seed", "3", "--timeout", "3s", "--deadline", "1m", "--history", history.path],
    ...["--faults", "reset=2%,stall=1%,slice,drop-ok=1%,duplicate-ok=1%"],
  );
  assertEquals([code, summary.verdict, summary.acked], [0, "proven", 300]);
  assert(Number(summary.reconnects) > 0);
  const kinds = new Set(
    history.lines().flatMap((line) => /"fault".*"kind":"([a-z-]+)"/.exec(line)?.[1] ?? []),
  );
  assertEquals(kinds, new Set(["reset", "stall", "drop-ok", "duplicate-ok"]));
  assertEquals((await verify(history.path)).summary.verdict, "proven");
});

for (
  const { args, says } of [
    { args: ["--clients", "0"], says: "--clients" },
    {
      args: ["--max-lag", "0"],
      says: 'Cannot use --max-lag: expected a duration of at least 1ms, got "0"',
    },
    { args: ["--server-processes", "0"], says: "--server-processes" },
    { args: ["--messages", "5"], says: "Option --messages goes with a scenario" },
    { args: ["--rate", "5/s", "--duration", "1s"], says: "Option --rate goes with a scenario" },
    { args: ["--faults", "reset=1"], says: "reset=1%" },
    { args: ["--protocol", "smtp"], says: "hello" },
    { args: ["--protocol", "echo", "--reply-delay", "1s"], says: "--reply-delay" },
    { args: ["--admin-token", "x"], says: "Cannot use --admin-token without --admin" },
    { args: ["--admin-name", "x"], says: "Cannot use --admin-name without --admin" },
    { args: ["--agent-token", "x"], says: "Cannot use --agent-token without --agents" },
    { args: ["--target", "127.0.0.1:1", "--port", "0"], says: "Cannot use --port with --target" },
    {
      args: ["--timeout", "1s", "--reply-delay", "fixed:2s"],
      says: "Cannot use --timeout 1s: expected more than the longest reply delay, 2s",
    },
    {
      args: ["--target", "127.0.0.1:1", "--clients", "60000", "--window", "1s", "--reply-delay", "fixed:2s"],
      says: "Cannot use --clients 60000: they need 60000 ports at the same time at 127.0.0.1:1, of 25000",
    },
  ]
) {
  Deno.test(`loadtest.ts ${args.join(" ")} reports a usage error, and starts nothing`, async () => {
    const { code, out, err } = await refusalOf("loadtest.ts", args);
    assertEquals([code, out, err.trimEnd().split("\n").length], [2, "", 1]);
    assertStringIncludes(err, says);
  });
}

Deno.test("loadtest.ts reports in one line that its history cannot be written, and starts nothing", async () => {
  const { code, err } = await refusalOf("loadtest.ts", [...SMALL, "--history", "/no/such/folder/run.jsonl"]);
  assertEquals([code, err.trimEnd().split("\n").length], [1, 1]);
  assertStringIncludes(
    err,
    'Cannot write "/no/such/folder/run.jsonl"',
  );
});

Deno.test("loadtest.ts verify and compare report in one line which file cannot be read", async () => {
  const missing = "/no/such/file";
  for (
    const [args, message] of [
      [["verify", missing], "no such file or directory"],
      [["verify", "/"], "it is a directory"],
      [["compare", "/", missing], "it is a directory"],
    ] as const
  ) {
    const { code, err } = await refusalOf("loadtest.ts", args);
    assertEquals([code, err.trimEnd().split("\n").length], [1, 1]);
    assertStringIncludes(err, `"${args[1]}": ${message}`);
  }
});

for (const protocol of ["echo", "hello"]) {
  Deno.test(`loadtest.ts proves a spawned ${protocol} server`, async () => {
    const { code, summary } = await loadTest(...SMALL, "--protocol", protocol);
    assertEquals([code, summary.verdict, summary.acked, summary.findings], [0, "proven", 300, []]);
  });
}

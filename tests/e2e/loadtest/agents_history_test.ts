// Histories of load tests whose clients run at agents.
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { LatencyHistogram, type Percentiles } from "../../../loadtest/metrics/latency.ts";
import { Agents, startRelay } from "../../_util/loadtest/agents.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { childrenOf, loadTest, startLoadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

type Planned = Extract<HistoryEvent, { event: "planned" }>;

const PLAN = ["--clients", "301", "--window", "1s", "--seed", "5", "--reply-delay", "uniform:0s-200ms"];

function eventsOf(path: string): HistoryEvent[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Returns the planned clients of a history by their numbers, and the instants at which they start. */
function plannedIn(events: readonly HistoryEvent[]): Planned[] {
  return events.filter((event) => event.event === "planned").sort((a, b) => a.client - b.client);
}

/** Returns the time from its planned start to its ok of each client, in ms. */
function latenciesIn(events: readonly HistoryEvent[]): number[] {
  const plannedAt = new Map(plannedIn(events).map(({ client, at }) => [client, at]));
  return events.filter((event) => event.event === "ack")
    .map(({ client, at }) => at - plannedAt.get(client)!);
}

/** Returns a percentile by its definition: the smallest value that `percent` percent of all do not exceed. */
function percentileOf(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)]!;
}

Deno.test("loadtest.ts run --agents merges the plan, the latencies, and the history of three agents exactly", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(3);
  await using folder = new TempDir();
  const [apart, together] = [`${folder.path}/agents.jsonl`, `${folder.path}/one.jsonl`];
  const run = ["run", ...relay.options, ...PLAN, ...ANY_LAG, "--json"];
  const { code, summary, err } = await loadTest(...run, ...agents.options, "--history", apart);
  assertEquals([code, summary.verdict], [0, "proven"], err);
  const events = eventsOf(apart);

  // The verdict of the history is that of the run.
  const verified = await loadTest("verify", apart, "--json");
  assertEquals([verified.code, verified.summary.verdict], [0, "proven"], verified.out);
  assertEquals([verified.summary.clients, verified.summary.acked], [301, 301]);
  assertEquals(events.filter(({ event }) => event === "agent").length, 3);
  // The files of the parts are gone, here and at the agents.
  for (const { program } of agents.all) await program.says("Ready for the next load test");
  assertEquals(await agents.files(), []);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["agents.jsonl"]);

  // All that one process would have planned, at the same instants.
  const alone = await loadTest(...run, "--processes", "1", "--history", together);
  assertEquals([alone.code, alone.summary.verdict], [0, "proven"], alone.err);
  assertEquals(plannedIn(events), plannedIn(eventsOf(together)));
  assertEquals(plannedIn(events).length, 301);

  // The merged percentiles are those of all latencies that the agents recorded.
  const latencies = latenciesIn(events);
  const histogram = new LatencyHistogram();
  for (const latency of latencies) histogram.record(latency);
  const merged = (summary.latency as { readonly fromPlanned: Percentiles }).fromPlanned;
  assertEquals({ ...merged, ...histogram.percentiles() }, merged);
  for (
    const [name, percent] of [["p50", 50], ["p90", 90], ["p95", 95], ["p99", 99], ["p999", 99.9], [
      "max",
      100,
    ]] as const
  ) {
    const exact = percentileOf(latencies, percent);
    assertAlmostEquals(merged[name]!, exact, exact / 1000 + 0.001, name);
  }
});

Deno.test("loadtest.ts run --agents --history has the verdict of a run in which an agent was killed", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(3);
  await using folder = new TempDir();
  const history = `${folder.path}/run.jsonl`;
  const load = startLoadTest(
    ...["run", ...relay.options, ...agents.options, "--clients", "150", "--window", "6s", ...ANY_LAG],
    ...["--json", "--history", history],
  );
  await relay.accepted(30);
  await agents.kill(0);
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict], [1, "failed"]);
  const verified = await loadTest("verify", history, "--json");
  assertEquals([verified.code, verified.summary.verdict, verified.summary.acked], [
    1,
    "failed",
    summary.acked,
  ]);
  const findings = JSON.stringify(verified.summary.findings);
  assertStringIncludes(findings, `at the agent ${agents.all[0]!.address} ended before the run did`);
});

Deno.test("loadtest.ts run --agents --history has the events of a generator that was killed at its agent", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  await using folder = new TempDir();
  const history = `${folder.path}/run.jsonl`;
  const load = startLoadTest(
    ...["run", ...relay.options, ...agents.options, "--clients", "400", "--window", "10s", ...ANY_LAG],
    ...["--json", "--history", history],
  );
  // After a good part of the window: a process writes its events within a second.
  await relay.accepted(160);
  const [victim] = agents.all;
  const [process] = childrenOf(victim!.program.pid, "generator");
  Deno.kill(process!, "SIGKILL");
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict], [1, "failed"]);
  const verified = await loadTest("verify", history, "--json");
  assertEquals([verified.code, verified.summary.verdict], [1, "failed"], verified.out);
  assertStringIncludes(JSON.stringify(verified.summary.findings), "signal SIGKILL");
  const planned = eventsOf(history).filter(({ event }) => event === "planned");
  assert(planned.length > 200, `${planned.length}`);
});

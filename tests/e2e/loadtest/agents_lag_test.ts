// Agents that stop for some time, or for good.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Agents, startRelay } from "../../_util/loadtest/agents.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { childrenOf, loadTest, startLoadTest } from "../../_util/loadtest/loadtest_program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

interface Finding {
  readonly kind: string;
  readonly text: string;
}

/** Returns the texts of the findings of a kind. */
function textsOf(findings: unknown, kind: string): string[] {
  return (findings as readonly Finding[]).filter((one) => one.kind === kind).map(({ text }) => text);
}

Deno.test("loadtest.ts run names an agent that lags, and its metrics are invalid", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  await using folder = new TempDir();
  const history = `${folder.path}/run.jsonl`;
  const load = startLoadTest(
    ...["run", ...relay.options, ...agents.options, "--clients", "400", "--window", "6s"],
    ...["--max-lag", "1s", "--json", "--history", history],
  );
  await relay.accepted(80);
  const [lagging] = agents.all;
  const [process] = childrenOf(lagging!.program.pid, "generator");
  Deno.kill(process!, "SIGSTOP");
  // By then, the other agent has started 110 clients more, which takes more than three seconds.
  await relay.accepted(190);
  Deno.kill(process!, "SIGCONT");
  const { code, summary, err } = await load.outcome;
  assertEquals([code, summary.verdict, summary.acked], [3, "invalid", 400], err);
  const named = `In generator process 0 at the agent ${lagging!.address}, `;
  const late = textsOf(summary.findings, "overloaded").filter((text) => text.startsWith(named));
  assert(late.length > 0, JSON.stringify(summary.findings));
  const verified = await loadTest("verify", history, "--json");
  assertEquals([verified.code, verified.summary.verdict], [3, "invalid"]);
});

Deno.test("loadtest.ts run names an agent that is silent, and fails without it", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  const load = startLoadTest(
    ...[
      "run",
      ...relay.options,
      ...agents.options,
      "--clients",
      "60",
      "--window",
      "8s",
      ...ANY_LAG,
      "--json",
    ],
  );
  await relay.accepted(10);
  const [silent] = agents.all;
  silent!.program.kill("SIGSTOP");
  await load.says(`Generator process 0 at the agent ${silent!.address} has not reported for 3s`);
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict, summary.acked], [1, "failed", 30]);
  assertEquals(textsOf(summary.findings, "died"), [
    `Generator process 0 at the agent ${
      silent!.address
    } ended before the run did: the agent was silent for 10s`,
  ]);
  // When it continues, it is ready for the next load test.
  silent!.program.kill("SIGCONT");
  await silent!.program.says("Ready for the next load test");
  const next = await loadTest(
    ...["run", ...relay.options, ...agents.options, "--clients", "10", "--window", "100ms", ...ANY_LAG],
  );
  assertEquals(next.code, 0, next.err);
});

Deno.test("loadtest.ts run ends at its deadline when a generator hangs at its agent, and names it", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  const load = startLoadTest(
    ...["run", ...relay.options, ...agents.options, "--clients", "60", "--window", "5s", "--deadline", "6s"],
    ...[...ANY_LAG, "--json"],
  );
  await relay.accepted(10);
  const [hanging] = agents.all;
  const [process] = childrenOf(hanging!.program.pid, "generator");
  Deno.kill(process!, "SIGSTOP");
  const { code, summary } = await load.outcome;
  assertEquals([code, summary.verdict], [1, "failed"]);
  assertEquals(textsOf(summary.findings, "died"), [
    `Generator process 0 at the agent ${hanging!.address} ended before the run did: signal SIGKILL`,
  ]);
});

Deno.test("loadtest.ts run ends when an agent does not answer", async () => {
  await using relay = await startRelay();
  await using agents = await Agents.start(2);
  const [silent] = agents.all;
  silent!.program.kill("SIGSTOP");
  const { code, err } = await loadTest("run", ...relay.options, ...agents.options, "--clients", "10");
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot use the agent ${silent!.address}: the agent was silent for 10s`);
});

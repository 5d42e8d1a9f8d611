/** A scenario run that has something in every list of its summary. */
import { type LoadTestRun, runLoadTest, scenario } from "../../../loadtest/mod.ts";
import type { Summary } from "../../../loadtest/metrics/summary.ts";
import { lineCodec, listen } from "../../../socket/mod.ts";
import { Simulation } from "./simulation.ts";

/** A scenario run with checks, metrics, wrong replies, and a state that is not 0. */
export async function scenarioRun(): Promise<LoadTestRun> {
  const world = new Simulation();
  const server = listen(world.seam);
  server.serve(async (peer) => {
    for await (const line of peer) peer.send(line === "three" ? "four" : line);
  });
  const tested = scenario({
    codec: lineCodec(),
    async session(t) {
      t.check("holds", t.client > 0);
      t.metric("size").record(7);
      for (const line of ["one", "two", "three"]) await t.ask(line, { expect: line });
    },
  });
  const run = await world.clock.runUntil(runLoadTest({
    scenario: tested,
    target: server.addresses,
    clients: 3,
    thresholds: ["step.one.p99<1s", "step.four.p99<1s", "metric.size.max<3", "lost<1%"],
    expectState: () => Promise.resolve({ jobs: 1 }),
    ...world.seam,
  }));
  await world.clock.runUntil(server.close());
  return run;
}

/** The summary of such a run. */
export async function scenarioSummary(): Promise<Summary> {
  return (await scenarioRun()).summary;
}

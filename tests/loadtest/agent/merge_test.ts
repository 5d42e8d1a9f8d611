import { assertEquals, assertGreater } from "@std/assert";
import { deserialize, serialize } from "node:v8";
import { judge } from "../../../loadtest/judge/verdict.ts";
import type { RunEvent } from "../../../loadtest/history/events.ts";
import { Ledger } from "../../../loadtest/ledger/ledger.ts";
import { measure, peakConnections } from "../../../loadtest/metrics/measure.ts";
import { simulate } from "../../_util/loadtest/simulated_run.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const PARTS = 3;
const CLIENTS = 600;

Deno.test("Ledger.absorb() gives the percentiles and the verdict of one process when three agents ran the clients", async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const { history } = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    plan: { clients: CLIENTS },
  });
  const run = history[0] as RunEvent;
  const whole = new Ledger(run);
  const merged = new Ledger(run);
  const parts = Array.from({ length: PARTS }, (_, part) => new Ledger(run, { part, parts: PARTS }));
  for (const event of history.slice(1)) {
    whole.record(event);
    ("client" in event ? parts[event.client! % PARTS]! : merged).record(event);
  }
  // As they travel.
  for (const part of parts) merged.absorb(deserialize(serialize(part.snapshot())));
  const [one, three] = [measure(whole), measure(merged)];
  assertGreater(one.total.count, CLIENTS - 1);
  for (const name of ["total", "fromPlanned", "relay", "connect", "held", "scheduleLag"] as const) {
    assertEquals(three[name].percentiles(), one[name].percentiles(), name);
    assertEquals(three[name].count, one[name].count, name);
  }
  assertEquals(peakConnections(merged), peakConnections(whole));
  assertEquals(judge(merged).verdict, judge(whole).verdict);
  assertEquals(judge(merged).counts.acked, CLIENTS);
});

import { assertEquals } from "@std/assert";
import { EndedTotals } from "../../../../cli/server/processes/ended_totals.ts";
import { DurationHistogram } from "../../../../internal/duration_histogram.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("EndedTotals.state has the sum of all counts, and 0 for everything that is held", pure, () => {
  const totals = new EndedTotals();
  const backend = { name: "127.0.0.1:80", healthy: true, open: 3, total: 7 };
  const state = {
    accepted: 5,
    connections: 2,
    peakConnections: 4,
    pending: 1,
    timers: 6,
    queuedBytes: 100,
    suspended: true,
    closed: { natural: 3 },
    bus: { connected: true, nodes: 2, sent: 9 },
    backends: [backend],
  };
  totals.add({ state });
  totals.add({ state: { ...state, closed: { natural: 1, reset: 2 } } });
  totals.add({});
  assertEquals(totals.state, {
    accepted: 10,
    connections: 0,
    peakConnections: 0,
    pending: 0,
    timers: 0,
    queuedBytes: 0,
    closed: { natural: 4, reset: 2 },
    bus: { nodes: 0, sent: 18 },
    backends: [{ name: "127.0.0.1:80", open: 0, total: 14 }],
  });
});

Deno.test("EndedTotals.figures has the sum of all bytes, times, and CPU times", pure, () => {
  const totals = new EndedTotals();
  const times = new DurationHistogram();
  times.record(3);
  const figures = {
    bytes: { bytesIn: 10, bytesOut: 20 },
    times: { ack: times.counts(), lag: new DurationHistogram().counts() },
    process: { cpuSeconds: 1.5, residentMemory: 1000, heap: 500 },
  };
  totals.add({ figures });
  totals.add({ figures });
  const sum = totals.figures;
  assertEquals(sum.bytes, { bytesIn: 20, bytesOut: 40 });
  assertEquals(sum.process, { cpuSeconds: 3, residentMemory: 0, heap: 0 });
  assertEquals([sum.times.ack.sum, sum.times.lag.sum], [6, 0]);
  assertEquals(sum.times.ack.buckets.map(([, count]) => count), [2]);
});

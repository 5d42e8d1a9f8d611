import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { measure, peakConnections } from "../../../loadtest/metrics/measure.ts";
import { createTimeline } from "../../../loadtest/metrics/timeline.ts";
import {
  addressOf,
  clientEvents,
  goodRun,
  ledgerOf,
  runEvent,
  SERVER,
} from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

Deno.test(
  "createTimeline() counts every start, ok, and connection in at most the given number of buckets",
  pure,
  () => {
    const instants = fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(instants, fc.integer({ min: 1, max: 600 }), (starts, buckets) => {
      const ledger = ledgerOf([
        runEvent(starts.length),
        ...starts.flatMap((at, client) => clientEvents(client, { at })),
      ]);
      const timeline = createTimeline(ledger, { buckets });
      const inSeconds = timeline.bucket / 1000;
      assertEquals(timeline.at.length <= buckets, true, `${timeline.at.length} of ${buckets}`);
      for (const rate of [timeline.planned, timeline.started, timeline.acknowledged]) {
        assertEquals(Math.round(sum(rate) * inSeconds), starts.length);
      }
      assertEquals(Math.max(...timeline.open), peakConnections(ledger));
      const slowest = Math.max(...timeline.relay.max.filter((ms) => !Number.isNaN(ms)));
      assertEquals(slowest, measure(ledger).relay.max);
    }));
  },
);

Deno.test("createTimeline() uses buckets of 1, 2, or 5 times a power of ten, at least 10 ms", pure, () => {
  const widthOf = (stop: number): number => {
    const ledger = ledgerOf([...goodRun(1), { event: "stop", at: stop, why: "done" }]);
    return createTimeline(ledger, { buckets: 100 }).bucket;
  };
  assertEquals([100, 1500, 4900, 60_000, 100_000].map(widthOf), [10, 20, 50, 1000, 2000]);
});

Deno.test("createTimeline() carries open connections into later buckets", pure, () => {
  // Open from 3 to 22, and from 103 to 122.
  const events = [runEvent(2), ...clientEvents(0, { at: 0 }), ...clientEvents(1, { at: 100 })];
  const open = (of: readonly HistoryEvent[]) => [...createTimeline(ledgerOf(of)).open];
  assertEquals(open(events), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
  const unclosed = events.filter(({ event }) => event !== "close");
  assertEquals(open(unclosed), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
});

Deno.test("createTimeline() returns percentiles of the clients planned for each bucket", pure, () => {
  const late = (events: HistoryEvent[], ms: number): HistoryEvent[] =>
    events.map((event) => (event.event === "ack" ? { ...event, at: event.at + ms } : event))
      .filter(({ event }) => event !== "close");
  const events = [
    runEvent(3),
    ...late(clientEvents(0, { at: 0 }), 80),
    ...clientEvents(1, { at: 5 }),
    ...clientEvents(2, { at: 70 }),
  ];
  const { at, fromPlanned, scheduleLag } = createTimeline(ledgerOf(events), { buckets: 3 });
  assertEquals([...at], [0, 50, 100]);
  assertEquals([...fromPlanned.p50], [20, 20, NaN]);
  assertEquals([...fromPlanned.max], [100, 20, NaN]);
  assertEquals([...scheduleLag.p99], [1, 1, NaN]);
});

Deno.test(
  "createTimeline() counts resends, second deliveries, faults, and unnatural ends at their times",
  pure,
  () => {
    const [client, remote] = [0, SERVER];
    const connectAgain = (at: number, port: number): HistoryEvent[] => [
      { event: "connect", client, at, took: 1, local: addressOf(port), remote },
      { event: "send", client, at: at + 1 },
    ];
    const events: HistoryEvent[] = [
      runEvent(1, { faults: true }),
      { event: "planned", client, at: 0, text: "" },
      { event: "start", client, at: 0 },
      ...connectAgain(2, 1),
      { event: "receive", client, at: 5, message: 0 },
      { event: "fault", at: 12, kind: "reset", client },
      { event: "close", client, at: 13, reason: "reset" },
      ...connectAgain(25, 2),
      { event: "receive", client, at: 31, message: 0 },
      { event: "close", client, at: 44, reason: "timeout" },
      { event: "connect", client, at: 55, took: 1, local: addressOf(3), remote },
      { event: "close", client, at: 58, reason: "natural" },
    ];
    const { resent, deliveredAgain, faults, ends } = createTimeline(ledgerOf(events));
    assertEquals([...resent], [0, 0, 1, 0, 0, 0]);
    assertEquals([...deliveredAgain], [0, 0, 0, 1, 0, 0]);
    assertEquals([...faults], [0, 1, 0, 0, 0, 0]);
    assertEquals([...ends].map(([reason, counts]) => [reason, [...counts]]), [
      ["reset", [0, 1, 0, 0, 0, 0]],
      ["timeout", [0, 0, 0, 0, 1, 0]],
    ]);
  },
);

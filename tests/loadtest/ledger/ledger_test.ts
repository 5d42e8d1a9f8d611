import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { FindingKind } from "../../../loadtest/judge/findings.ts";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { Ledger } from "../../../loadtest/ledger/ledger.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import { clientEvents, goodRun, ledgerOf, runEvent, SERVER } from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

const KINDS: readonly FindingKind[] = [
  "unexpected",
  "duplicate",
  "inconsistent",
  "leftover",
  "overloaded",
  "lost",
  "under-way",
  "unnatural",
];

Deno.test("Ledger keeps the first ok of a message", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "connect", client: 0, at: 30, took: 1, local: "127.0.0.1:50000", remote: SERVER },
    { event: "send", client: 0, at: 31 },
    { event: "ack", client: 0, at: 32, message: 0 },
    { event: "close", client: 0, at: 33, reason: "natural" },
  ];
  const ledger = ledgerOf(
    goodRun(1).flatMap((event) => event.event === "close" ? [event, ...extra] : [event]),
  );
  assertEquals([...ledger.clients.columns.ackedAt], [20]);
});

Deno.test(
  "Ledger counts every request of an event with several, and finds those that came too late",
  pure,
  () => {
    const ledger = new Ledger(runEvent(1));
    const ask = { event: "ask", client: 0, step: "GET", due: 1, sent: 2 } as const;
    ledger.record({ ...ask, at: 3, ask: 2, count: 3 });
    assertEquals(ledger.findings.count("reordered"), 0);
    ledger.record({ ...ask, at: 4, ask: 0, count: 6 });
    assertEquals([ledger.scenario.length, ledger.scenario.count("ok")], [9, 9]);
    assertEquals(ledger.findings.count("reordered"), 5); // 0 to 4, because 4 had its reply
    ledger.record({ ...ask, at: 5, ask: 6 });
    assertEquals(ledger.findings.count("reordered"), 5);
    assertEquals([0, 8, 9].map((row) => ledger.scenario.endedAt.at(row)), [3, 4, 5]);
  },
);

Deno.test("Ledger.absorb() describes no more findings of several ledgers than of one", pure, () => {
  const run = runEvent(80);
  const merged = new Ledger(run);
  for (const part of [0, 1]) {
    const ledger = new Ledger(run, { part, parts: 2 });
    for (let client = part; client < 80; client += 2) ledger.record({ event: "send", client, at: 1 });
    merged.absorb(ledger.snapshot());
  }
  const inconsistent = merged.findings.list(["inconsistent"]);
  assertEquals([inconsistent.length, inconsistent.at(-1)?.text], [21, "And 60 more like these"]);
});

Deno.test("Ledger.absorb() of any partition equals one ledger", pure, () => {
  const clients = 12;
  const lives = Array.from({ length: clients }, (_, client) => {
    return clientEvents(client, { at: 5 * client, holds: (client * 5) % clients });
  }).flat();
  const mistakes: readonly HistoryEvent[] = [
    { event: "ack", client: 3, at: 99, message: 4 },
    { event: "ack", client: 5, at: 99, message: 5 },
    { event: "receive", client: 7, at: 99, message: "?" },
  ];
  const chosen = fc.subarray([...lives, ...mistakes], { minLength: 80 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), chosen, (parts, events) => {
    const run = runEvent(clients);
    const ending = goodRun(1).slice(-3);
    const whole = ledgerOf([run, ...events, ...ending]);
    const merged = new Ledger(run);
    for (let part = 0; part < parts; part++) {
      const ledger = new Ledger(run, { part, parts });
      for (const event of events) {
        if ("client" in event && Number(event.client) % parts === part) ledger.record(event);
      }
      merged.absorb(structuredClone(ledger.snapshot()));
    }
    for (const event of ending) merged.record(event);
    const [one, other] = [judge(whole), judge(merged)];
    assertEquals(other.verdict, one.verdict);
    assertEquals(other.counts, one.counts);
    for (const kind of KINDS) assertEquals(other.count(kind), one.count(kind), kind);
  }));
});

import { assertEquals } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { renderCsv } from "../../../loadtest/report/csv.ts";
import { clientEvents, ledgerOf, runEvent } from "../../_util/loadtest/run_events.ts";

const pure = { permissions: "none" } as const;

function rowsOf(events: readonly HistoryEvent[]): string[] {
  const [, ...rows] = renderCsv(ledgerOf(events)).trimEnd().split("\r\n");
  return rows;
}

Deno.test("renderCsv() counts starts, connections, and acks by second", pure, () => {
  const events = [
    runEvent(3),
    ...clientEvents(0, { at: 100 }),
    ...clientEvents(1, { at: 990 }),
    ...clientEvents(2, { at: 3000 }).filter(({ event }) => event !== "ack" && event !== "close"),
    { event: "close", client: 2, at: 3400, reason: "reset" },
    { event: "stop", at: 4200, why: "done" },
  ] as const;
  assertEquals(rowsOf(events), [
    "0,2,1,1,0,20,20,20,20",
    "1,0,1,1,0,20,20,20,20",
    "2,0,0,0,0,,,,",
    "3,1,1,0,1,,,,",
    "4,0,0,0,0,,,,",
  ]);
});

Deno.test("renderCsv() counts the requests of a scenario by their reply", pure, () => {
  const ask = (ask: number, at: number, due: number): HistoryEvent => {
    return { event: "ask", client: 0, at, ask, step: "GET", due, sent: due };
  };
  const [planned, start, connect] = clientEvents(0, { at: 0 });
  const events = [
    runEvent(1, { protocol: "scenario", server: "foreign" }),
    planned!,
    start!,
    connect!,
    ask(0, 10, 5),
    ask(1, 900, 890),
    ask(2, 1100, 995),
    { ...ask(3, 1200, 1100), result: "wrong" } as HistoryEvent,
  ];
  assertEquals(rowsOf(events), ["0,1,1,2,0,5,10,10,10", "1,0,1,1,1,105,105,105,105"]);
});

Deno.test("renderCsv() has a row for a run in which nothing happened", pure, () => {
  assertEquals(rowsOf([runEvent(1)]), ["0,0,0,0,0,,,,"]);
});

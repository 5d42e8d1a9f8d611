import { assertEquals } from "@std/assert";
import type { HistoryEvent, RunEvent } from "../../../loadtest/history/events.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import type { SessionEvent } from "../../../loadtest/scenario/events.ts";
import { addressOf, ledgerOf, runEvent, SERVER } from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

/** Judges a session whose connection was open when the run ended: the verdict, and the kinds of findings. */
function judgedOpen(
  run: Partial<RunEvent>,
  { result = "done", why = "deadline" }: {
    readonly result?: SessionEvent["result"];
    readonly why?: "deadline" | "threshold";
  } = {},
): readonly unknown[] {
  const client = 0;
  const events: HistoryEvent[] = [
    runEvent(1, { protocol: "scenario", server: "foreign", ...run }),
    { event: "planned", client, at: 0, text: "" },
    { event: "start", client, at: 0 },
    { event: "connect", client, at: 2, took: 2, local: addressOf(client), remote: SERVER },
    { event: "ask", client, at: 4, ask: 0, step: "hello", due: 2, sent: 2 },
    { event: "session", client, at: 4, result, ...(result === "done" ? {} : { detail: "in a think time" }) },
    { event: "close", client, at: 999, reason: "stopped" },
    { event: "stop", at: 999, why, ...(why === "threshold" ? { threshold: "p99<5ms" } : {}) },
    { event: "generator", process: 0, loopLag: 1, socketLag: 1 },
  ];
  const { verdict, findings } = judge(ledgerOf(events));
  return [verdict, findings.map(({ kind }) => kind)];
}

Deno.test("judge() finds a connection that is open after its session was done, since rules 3", pure, () => {
  assertEquals(judgedOpen({ rules: 3 }), ["failed", ["unnatural"]]);
  assertEquals(judgedOpen({ rules: 2 }), ["delivered", []]);
  assertEquals(judgedOpen({}), ["delivered", []]);
});

Deno.test(
  "judge() does not blame the server for an open connection that the run itself has cut",
  pure,
  () => {
    assertEquals(judgedOpen({ rules: 3 }, { result: "unfinished" }), ["failed", ["under-way"]]);
    assertEquals(judgedOpen({ rules: 3 }, { why: "threshold" }), ["delivered", []]);
    assertEquals(judgedOpen({ rules: 3, faults: true }), ["delivered", []]);
  },
);

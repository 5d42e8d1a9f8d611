import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { summaryText } from "../../../cli/loadtest/summary_text.ts";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import type { Summary } from "../../../loadtest/metrics/summary.ts";
import { goodRun } from "../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../_util/loadtest/run_summary.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("summaryText() advises to start the server only when nobody answers", pure, () => {
  const HINT = ["  Start the server first, or correct --target"];
  const cases: [string, string[]][] = [
    ["127.0.0.1:1: refused", HINT],
    ["10.0.0.1:1: unreachable", HINT],
    ["10.0.0.1:1: timeout after 10000 ms", HINT],
    ["x.invalid:1: failed to lookup address information: Name or service not known", HINT],
    ["unix:/run/relay: No such file or directory (os error 2)", HINT],
    ["127.0.0.1:1: Peer speaks plain text, not TLS", []],
    ["127.0.0.1:1: exhausted", []],
  ];
  for (const [why, hint] of cases) {
    const text = `No client could connect, so the run ended after 2s: Cannot connect to ${why}`;
    const summary = {
      verdict: "failed",
      clients: 1,
      acked: 0,
      thresholds: [],
      reconnects: 0,
      closed: { natural: 0, timeout: 0, error: 0 },
      findings: [{ kind: "unreachable", text }],
      findingCounts: { unreachable: 1 },
    } as unknown as Summary;
    assertEquals(summaryText(summary).split("\n"), [`FAILED: ${text}`, ...hint]);
  }
});

Deno.test("summaryText() says how many clients of an interrupted run had started", pure, () => {
  const summary = summaryOf(goodRun(3));
  const lastLine = (text: string): string | undefined =>
    text.split("\n").findLast((line) => line.includes("seed"));
  assertStringIncludes(lastLine(summaryText(summary)) ?? "", "3 clients in 2.0 s");
  const interrupted: Summary = { ...summary, verdict: "interrupted", started: 294, clients: 3000 };
  assertStringIncludes(lastLine(summaryText(interrupted)) ?? "", "294 of 3,000 clients in 2.0 s");
});

Deno.test(
  "summaryText() begins with the likely cause, and then has the counts and what follows",
  pure,
  () => {
    const events = goodRun(2, { protocol: "echo", server: "foreign" }).filter(({ event }) =>
      !["receive", "answer", "ack", "server"].includes(event)
    ).map((event): HistoryEvent => event.event === "close" ? { ...event, reason: "timeout" } : event);
    assertEquals(summaryText(summaryOf(events)).split("\n").slice(0, 7), [
      "FAILED: The server accepted 2 connections, and replied to none of 2 sends in time",
      "  2 lost; 0 of 2 messages acknowledged",
      "  Follows from this:",
      "    A connection ended unnaturally 2 times: timeout",
      "    Message 0 of client 0 (127.0.0.1:40000) was sent once and never acknowledged (and 1 more like this)",
      "    Client 0 (127.0.0.1:40000) ended as timeout, not on its own ok (and 1 more like this)",
      "  Each of these: see --report, or --json",
    ]);
  },
);

Deno.test("summaryText() names the scenario file beside the clients", pure, () => {
  const text = summaryText(summaryOf(goodRun(3, { protocol: "scenario", scenario: "load/echo\x1b.ts" })));
  assertStringIncludes(text, "\nload/echo\\x1b.ts: 3 clients in 2.0 s, seed 1;");
});

Deno.test("summaryText() shows replies out of order apart from wrong replies", pure, () => {
  const scenario = {
    ...{ requests: 9, perSecond: 9, wrong: 1, truncated: 1, foreign: 1, reordered: 2, notSent: 0 },
    ...{ pushed: 0, handled: 0, messageLag: null, steps: [], checks: [], metrics: [] },
    sessions: { done: 1, failed: 0, threw: 0, unfinished: 0 },
  };
  const text = summaryText({ ...summaryOf(goodRun(1)), scenario });
  assertMatch(text, /wrong reply +│ +3 │/);
  assertMatch(text, /out of order +│ +2 │/);
});

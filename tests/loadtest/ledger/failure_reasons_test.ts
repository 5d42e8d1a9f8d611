/** The reasons of the judge why clients failed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { formatHistoryLine, parseHistoryLine } from "../../../loadtest/history/line_format.ts";
import { renderJunit } from "../../../loadtest/report/junit.ts";
import { FailureReasons } from "../../../loadtest/ledger/failure_reasons.ts";
import type { Judgement } from "../../../loadtest/judge/verdict.ts";
import { changedRun, goodRun, of } from "../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../_util/loadtest/run_summary.ts";
import { pure } from "../../_util/permissions.ts";

const refused = (client: number, error: string): HistoryEvent => ({ event: "refused", client, at: 7, error });
const told = (text: string): HistoryEvent => ({ event: "error", client: 1, at: 7, text });

function reasonsOf({ findings }: Judgement): string[] {
  return findings.filter(({ kind }) => kind === "reason").map(({ text }) => text);
}

Deno.test(
  "judge() reports why clients could not connect, got errors, and lost connections",
  pure,
  () => {
    const judgement = changedRun({
      without: (event) => of("ack", 1)(event) || of("close", 1)(event),
      extra: [
        ...[0, 1, 2].map((client) => refused(client, "Cannot connect to 127.0.0.1:1: refused")),
        refused(0, "no way"),
        told("error wrong token"),
        { event: "close", client: 1, at: 90, reason: "reset", detail: "reset: Connection reset by peer" },
      ],
    });
    assertEquals(reasonsOf(judgement), [
      "Could not connect 3 times: Cannot connect to 127.0.0.1:1: refused",
      "Could not connect once: no way",
      "The server answered once: error wrong token",
      "A connection ended unnaturally once: reset: Connection reset by peer",
    ]);
    const kinds = judgement.findings.map(({ kind }) => kind);
    assert(kinds.indexOf("reason") < kinds.indexOf("lost"), "before the single messages");
  },
);

Deno.test("judge() reports no reasons when the run is good", pure, () => {
  const judgement = changedRun({ extra: [told("error server is draining")] });
  assertEquals([judgement.verdict, judgement.findings], ["proven", []]);
  assertEquals(
    changedRun({ extra: [refused(1, "refused")], run: { faults: true } }).findings,
    [],
    "a fault was injected",
  );
});

Deno.test("FailureReasons.add() escapes control characters", pure, () => {
  const reasons = new FailureReasons();
  reasons.add("error", "error \x1b[2Jgone");
  assertEquals(reasons.list(), ["The server answered once: error \\x1b[2Jgone"]);
});

Deno.test(
  "FailureReasons.list() returns the three most frequent of a kind, and counts the rest",
  pure,
  () => {
    const reasons = new FailureReasons();
    for (let count = 1; count <= 1000; count++) reasons.add("refused", "often");
    for (let text = 0; text < 500; text++) reasons.add("refused", `reason ${String(text).padStart(3, "0")}`);
    reasons.add("refused", "reason 001");
    assertEquals(reasons.list(), [
      "Could not connect 1,000 times: often",
      "Could not connect 2 times: reason 001",
      "Could not connect once: reason 000",
      "Could not connect 498 times: other reasons",
    ]);
    assertEquals(reasons.snapshot().counts[0]?.[1].length, 100, "what is kept is bounded");
  },
);

Deno.test("FailureReasons.absorb() adds the counts of each part", pure, () => {
  const whole = new FailureReasons();
  for (const seen of [["a", "b"], ["b", "c"]]) {
    const part = new FailureReasons();
    for (const text of seen) part.add("close", text);
    whole.absorb(structuredClone(part.snapshot()));
  }
  assertEquals(whole.list().map((text) => text.replace("A connection ended unnaturally ", "")), [
    "2 times: b",
    "once: a",
    "once: c",
  ]);
});

Deno.test("parseHistoryLine() reads a server error, and requires its text", pure, () => {
  assertEquals(parseHistoryLine(formatHistoryLine(told("error no")), 1), told("error no"));
});

Deno.test("renderJunit() lists the reasons after the findings that they explain", pure, () => {
  const run = goodRun(3).filter((event) => !of("ack", 1)(event));
  const xml = renderJunit({
    summary: summaryOf([...run.slice(0, -3), told("error wrong token"), ...run.slice(-3)]),
    startedAt: new Date(0),
  });
  const [, acknowledged = ""] = xml.split('name="every message is acknowledged">');
  assertStringIncludes(
    acknowledged.split("</testcase>")[0] ?? "",
    "The server answered once: error wrong token",
  );
});

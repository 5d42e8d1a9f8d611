import { assertEquals } from "@std/assert";
import { describeVerdict, type VerdictFacts } from "../../../loadtest/judge/verdict_text.ts";
import { pure } from "../../_util/permissions.ts";

function failed(facts: Partial<VerdictFacts>): VerdictFacts {
  return {
    verdict: "failed",
    clients: 1000,
    acked: 1000,
    lost: 0,
    underWay: 0,
    refused: 0,
    reconnects: 0,
    closed: { natural: 1000, timeout: 0, error: 0 },
    thresholds: [],
    findings: [],
    findingCounts: {},
    ...facts,
  };
}

Deno.test("describeVerdict() says in a few words what is wrong, the most serious first", pure, () => {
  const all = "1,000 of 1,000 messages acknowledged";
  const cases: [Partial<VerdictFacts>, string][] = [
    [{ findingCounts: { duplicate: 10 } }, `${all}, 10 duplicate replies`],
    [
      { lost: 3, underWay: 1, findingCounts: { lost: 3, wrong: 1200, "under-way": 2 } },
      `${all}, 1,200 wrong replies, 3 lost, 1 in flight at the end`,
    ],
    [{ refused: 70, findingCounts: { unnatural: 10, reason: 1 } }, `${all}, could not connect 70 times`],
    [{ findingCounts: { unnatural: 12, reason: 1 } }, `${all}, 12 unnatural ends or retries`],
    [{ lost: 1, findingCounts: { lost: 1, unnatural: 12 } }, `${all}, 1 lost`],
    [
      { findingCounts: { died: 1, unexpected: 2, check: 3, leftover: 1, inconsistent: 9 } },
      `${all}, 1 process ended early, 2 unexpected, 3 failed checks, 9 contradictions in the events`,
    ],
  ];
  for (const [facts, text] of cases) assertEquals(describeVerdict(failed(facts)), text);
});

Deno.test("describeVerdict() names the limit of an invalid run", pure, () => {
  const text = "One client in a hundred started at least 312ms late (limit 100ms): short of CPU, because …";
  const run = failed({
    verdict: "invalid",
    findings: [{ kind: "overloaded", text }],
    findingCounts: { overloaded: 1 },
  });
  assertEquals(
    describeVerdict(run),
    "The metrics mean nothing, because the generator could not keep up: one client in a hundred started at least " +
      "312ms late (limit 100ms); use fewer clients or a longer window, or allow more lag (--max-lag)",
  );
});

Deno.test("describeVerdict() says why no client could connect", pure, () => {
  const text = "No client could connect, so the run ended after 2s: Cannot connect to 127.0.0.1:1: refused";
  const run = failed({
    acked: 0,
    refused: 70,
    findings: [{ kind: "unreachable", text }],
    findingCounts: { unreachable: 1 },
  });
  assertEquals(describeVerdict(run), text);
});

Deno.test("describeVerdict() counts messages that a scenario could not send", pure, () => {
  const scenario = { requests: 70, notSent: 930 } as VerdictFacts["scenario"];
  assertEquals(
    describeVerdict(failed({ acked: 70, findingCounts: { unnatural: 20 }, ...(scenario && { scenario }) })),
    "70 of 70 requests answered as expected, 930 not sent",
  );
});

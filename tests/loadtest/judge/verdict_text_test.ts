import { assertEquals } from "@std/assert";
import {
  describeVerdict,
  type VerdictFacts,
  verdictSentences,
} from "../../../loadtest/judge/verdict_text.ts";
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
    server: null,
    ...facts,
  };
}

const ZERO = { connections: 0, pending: 0, timers: 0, queuedBytes: 0, descriptors: 0, closed: {} };

Deno.test("describeVerdict() says in a few words what is wrong, the most serious first", pure, () => {
  const all = "1,000 of 1,000 messages acknowledged";
  const leftover = (server: Partial<NonNullable<VerdictFacts["server"]>>): Partial<VerdictFacts> => ({
    server: { ...ZERO, ...server },
    findingCounts: { leftover: 1 },
  });
  const cases: [Partial<VerdictFacts>, string][] = [
    [{ findingCounts: { duplicate: 10 } }, `10 duplicate replies; ${all}`],
    [
      { lost: 3, underWay: 1, findingCounts: { lost: 3, wrong: 1200, "under-way": 2 } },
      `1,200 wrong replies, 3 lost, 1 in flight at the end; ${all}`,
    ],
    [{ refused: 70, findingCounts: { unnatural: 10, reason: 1 } }, `could not connect 70 times; ${all}`],
    [{ findingCounts: { unnatural: 12, reason: 1 } }, `12 unnatural ends or retries; ${all}`],
    [{ lost: 1, findingCounts: { lost: 1, unnatural: 12 } }, `1 lost; ${all}`],
    [
      { findingCounts: { died: 1, unexpected: 2, check: 3, leftover: 1, inconsistent: 9 } },
      `1 process ended early, 2 unexpected, 3 failed checks, 9 contradictions in the events; ${all}`,
    ],
    [leftover({ connections: 5 }), `5 open connections left at the server; ${all}`],
    [
      leftover({ pending: 1, custom: { jobs: 2, rows: 0 } }),
      `1 pending message and 2 jobs left at the server; ${all}`,
    ],
    [leftover({ unread: "expectState() threw" }), `state of the server not read; ${all}`],
    [{ findingCounts: { hung: 1 } }, `1 server that had to be killed; ${all}`],
    [{ findingCounts: { leftover: 1 } }, `state of the server not reported; ${all}`],
  ];
  for (const [facts, text] of cases) assertEquals(describeVerdict(failed(facts)), text);
});

Deno.test("describeVerdict() begins with the likely cause, and does not repeat it", pure, () => {
  const cause = { kind: "no-replies", text: "The server replied to none of 3 sends" } as const;
  const run = failed({ acked: 0, lost: 1000, findingCounts: { lost: 1000 } });
  assertEquals(
    describeVerdict({ ...run, cause }),
    "The server replied to none of 3 sends; 1,000 lost; 0 of 1,000 messages acknowledged",
  );
  assertEquals(verdictSentences({ ...run, cause }), [
    cause.text,
    "1,000 lost; 0 of 1,000 messages acknowledged",
  ]);
  const [unreachable] = [{ kind: "unreachable", text: "No client could connect" } as const];
  assertEquals(verdictSentences({ ...run, findings: [unreachable], cause: unreachable }), [unreachable.text]);
});

Deno.test("describeVerdict() counts the sessions that a scenario did not finish", pure, () => {
  const scenario = { requests: 0, notSent: 0 } as VerdictFacts["scenario"] & object;
  const cases: [Partial<VerdictFacts>, string][] = [
    [{ findingCounts: { "under-way": 5 } }, "5 sessions unfinished; no request was sent"],
    [
      { scenario: { ...scenario, requests: 9 }, acked: 7, underWay: 2, findingCounts: { "under-way": 3 } },
      "2 in flight at the end, 1 session unfinished; 7 of 9 requests answered as expected",
    ],
    [
      {
        ...{ verdict: "delivered", scenario: { ...scenario, requests: 7 }, acked: 7 },
        closed: { natural: 5, timeout: 0, error: 995 },
      },
      "All 7 requests were answered as expected, 5 of 1,000 connections closed naturally before the run ended; " +
      "the state of the server is unknown",
    ],
    [
      { verdict: "delivered" },
      "No request was sent, every connection closed naturally; the state of the server is unknown",
    ],
  ];
  for (const [facts, text] of cases) assertEquals(describeVerdict(failed({ scenario, ...facts })), text);
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

Deno.test(
  "describeVerdict() counts the unnatural ends of a scenario beside what they may have lost",
  pure,
  () => {
    const scenario = { requests: 9, notSent: 0 } as VerdictFacts["scenario"] & object;
    const answered = "7 of 9 requests answered as expected";
    const cases: [Partial<VerdictFacts>, string][] = [
      [{ lost: 2, findingCounts: { lost: 2, unnatural: 1 } }, `2 lost, 1 unnatural end; ${answered}`],
      [{ findingCounts: { unnatural: 1200 } }, `1,200 unnatural ends; ${answered}`],
      [{ refused: 3, findingCounts: { unnatural: 1 } }, `could not connect 3 times; ${answered}`],
    ];
    for (const [facts, text] of cases) {
      assertEquals(describeVerdict(failed({ scenario, acked: 7, ...facts })), text);
    }
  },
);

Deno.test("describeVerdict() counts messages that a scenario could not send", pure, () => {
  const scenario = { requests: 70, notSent: 930 } as VerdictFacts["scenario"];
  assertEquals(
    describeVerdict(failed({ acked: 70, findingCounts: { unnatural: 20 }, ...(scenario && { scenario }) })),
    "930 not sent, 20 unnatural ends; 70 of 70 requests answered as expected",
  );
});

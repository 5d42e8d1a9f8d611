import { assertEquals } from "@std/assert";
import { classifyRun } from "../../../loadtest/capacity/classify.ts";
import type { Finding } from "../../../loadtest/judge/findings.ts";

const permissions = "none";

const COUNTS = { clients: 10, started: 10, acked: 0, lost: 0, underWay: 0, refused: 0 };

Deno.test({
  name: "classifyRun() distinguishes the limits of the server, the generator, and the network",
  permissions,
  fn: () => {
    const crossed = [{ expression: "p99<5ms", actual: 9, unit: "ms", holds: false, aborted: false } as const];
    const finding = (kind: Finding["kind"], text: string): Finding[] => [{ kind, text }];
    const classify = (
      verdict: Parameters<typeof classifyRun>[0]["verdict"],
      findings: Finding[] = [],
      thresholds: typeof crossed | [] = [],
    ) => classifyRun({ ...COUNTS, verdict, findings, thresholds }).result;
    assertEquals(classify("proven"), "held");
    assertEquals(classify("delivered"), "held");
    assertEquals(classify("threshold", [], crossed), "failed");
    assertEquals(classify("failed", finding("lost", "Client 1")), "failed");
    assertEquals(classify("invalid", finding("overloaded", "late")), "invalid");
    // Wrong replies of a run that was late as well: not even they count against the server's capacity.
    assertEquals(classify("failed", [...finding("lost", "x"), ...finding("overloaded", "late")]), "invalid");
    assertEquals(classify("failed", finding("died", "Generator process 0")), "invalid");
    assertEquals(
      classify(
        "failed",
        finding("reason", "Could not connect 5 times: Cannot connect to 127.0.0.1:1: exhausted"),
      ),
      "network",
    );
    assertEquals(
      classify("failed", finding("reason", "Could not connect once: Cannot connect to 127.0.0.1:1: refused")),
      "failed",
    );
  },
});

Deno.test({
  name: "classifyRun() says when every reply was wrong, or every session threw, which no rate explains",
  permissions,
  fn: () => {
    const sessions = { done: 0, failed: 10, threw: 0, unfinished: 0 };
    const scenario = { requests: 50, wrong: 50, notSent: 0, sessions };
    const run = { ...COUNTS, verdict: "failed", findings: [], thresholds: [], scenario } as const;
    const { requests, ok, always } = classifyRun(run);
    assertEquals([requests, ok, always], [50, 0, "replies"]);
    const threw = { ...sessions, failed: 0, threw: 10 };
    assertEquals(
      classifyRun({ ...run, scenario: { ...scenario, wrong: 0, requests: 0, sessions: threw } }).always,
      "scenario",
    );
    // Late replies, refused connections, and replies to other sessions may be due to load.
    for (const change of [{ acked: 1 }, { lost: 1 }, { underWay: 1 }, { refused: 1 }]) {
      assertEquals(classifyRun({ ...run, ...change }).always, undefined);
    }
    for (
      const change of [{ wrong: 49 }, { notSent: 1 }, { wrong: 0, requests: 0 }, {
        wrong: 0,
        sessions: { ...threw, done: 1, threw: 9 },
      }]
    ) {
      assertEquals(classifyRun({ ...run, scenario: { ...scenario, ...change } }).always, undefined);
    }
    const { scenario: _, ...ofMessages } = run;
    assertEquals(classifyRun(ofMessages), { result: "failed", why: "the run failed", requests: 10, ok: 0 });
  },
});

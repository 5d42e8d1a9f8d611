import { assertEquals } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import {
  addressOf,
  assertFinding,
  changedRun,
  goodRun,
  ledgerOf,
  of,
  SERVER,
  ZERO_STATE,
} from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("judge() returns delivered when a foreign server has no state", pure, () => {
  const isState = (event: HistoryEvent) => event.event === "server";
  assertEquals(changedRun({ without: isState, run: { server: "foreign" } }).verdict, "delivered");
  assertEquals(changedRun({ run: { server: "foreign" } }).verdict, "proven");
  const own = changedRun({ without: isState });
  assertEquals(own.verdict, "failed");
  assertFinding(own, "leftover", "did not report its state");
});

Deno.test("judge() names each item that the server is left with", pure, () => {
  const names = {
    connections: "open connection",
    pending: "pending message",
    timers: "running timer",
    queuedBytes: "queued byte",
    descriptors: "more socket than at its start",
  };
  for (const [field, name] of Object.entries(names)) {
    const judgement = changedRun({
      without: (event) => event.event === "server",
      extra: [{ event: "server", at: 9000, state: { ...ZERO_STATE, [field]: 1 } }],
    });
    assertEquals(judgement.verdict, "failed", field);
    assertFinding(judgement, "leftover", `left with 1 `, name);
  }
});

Deno.test("judge() assigns ends at the server to clients by address, in order", pure, () => {
  const ended = (client: number, reason: "natural" | "reset"): HistoryEvent => {
    return { event: "ended", at: 99, local: SERVER, remote: addressOf(client), reason };
  };
  assertEquals(changedRun({ extra: [ended(0, "natural"), ended(1, "natural")] }).verdict, "proven");
  const reset = changedRun({ extra: [ended(0, "natural"), ended(1, "reset")] });
  assertEquals(reset.verdict, "failed");
  assertFinding(reset, "unnatural", `client 1 (${addressOf(1)})`, "end as reset");
  assertEquals(changedRun({ extra: [ended(1, "reset")], run: { faults: true } }).verdict, "proven");
});

Deno.test(
  "judge() assigns ends to connections in order when an address is reused",
  pure,
  () => {
    const again: HistoryEvent[] = goodRun(3).map((event) => {
      return event.event === "connect" ? { ...event, local: addressOf(0) } : event;
    });
    const ends = (["natural", "reset", "natural"] as const).map((reason): HistoryEvent => {
      return { event: "ended", at: 99, local: SERVER, remote: addressOf(0), reason };
    });
    assertFinding(judge(ledgerOf([...again, ...ends])), "unnatural", "saw client 1 (");
  },
);

Deno.test("judge() finds unnatural ends when the server only counted them", pure, () => {
  const judgement = changedRun({
    without: (event) => event.event === "server",
    extra: [{
      event: "server",
      at: 9000,
      state: { ...ZERO_STATE, closed: { natural: 2, "write-failed": 1 } },
    }],
  });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unnatural", "1 connection end as write-failed");
});

Deno.test(
  "judge() returns invalid when the generator was late or did not start its clients",
  pure,
  () => {
    const late = changedRun({
      without: of("start", 1),
      after: of("planned", 1),
      extra: [{ event: "start", client: 1, at: 10 + 150 }],
    });
    assertEquals(late.verdict, "invalid");
    assertFinding(late, "overloaded", "started at least 150ms late");
    const lagging = changedRun({ extra: [{ event: "generator", process: 3, loopLag: 250, socketLag: 1 }] });
    assertEquals(lagging.verdict, "invalid");
    assertFinding(lagging, "overloaded", "In generator process 3, timers ran 250ms late");
    const deaf = changedRun({ extra: [{ event: "generator", process: 2, loopLag: 1, socketLag: 101 }] });
    assertEquals(deaf.verdict, "invalid");
    assertFinding(deaf, "overloaded", "In generator process 2, socket reads were 101ms late");
    const unstarted = judge(ledgerOf([...goodRun(3).slice(0, 9), ...goodRun(3).slice(-3)]));
    assertFinding(unstarted, "overloaded", "2 clients were planned and never started");
    const died: HistoryEvent = { event: "died", at: 50, process: 1, detail: "exit code 1" };
    const unknown = judge(ledgerOf([...goodRun(3).slice(0, 9), died, ...goodRun(3).slice(-3)]));
    assertFinding(unknown, "overloaded", "2 clients were planned, and nothing shows that they started");
  },
);

Deno.test("judge() returns invalid when the lag limit of the run is exceeded, and names it", pure, () => {
  const late: HistoryEvent = { event: "start", client: 1, at: 10 + 150 };
  const change = { without: of("start", 1), after: of("planned", 1), extra: [late] };
  for (const lag of ["loopLag", "socketLag"] as const) {
    const lagging: HistoryEvent = { event: "generator", process: 3, loopLag: 1, socketLag: 1, [lag]: 150 };
    const [allowed, bounded] = [{ maxLag: 150 }, { maxLag: 149 }].map((run) =>
      changedRun({ run, extra: [lagging] })
    );
    assertEquals([allowed?.verdict, bounded?.verdict], ["proven", "invalid"]);
    assertFinding(bounded!, "overloaded", "150ms late", "(limit 149ms)");
  }
  assertEquals(changedRun({ ...change, run: { maxLag: 150 } }).verdict, "proven");
  const bounded = changedRun({ ...change, run: { maxLag: 149 } });
  assertEquals(bounded.verdict, "invalid");
  assertFinding(bounded, "overloaded", "started at least 150ms late", "(limit 149ms)");
});

Deno.test("judge() returns the first verdict in order when several apply", pure, () => {
  const slow: HistoryEvent = { event: "generator", process: 0, loopLag: 1000, socketLag: 1 };
  const leak: HistoryEvent = { event: "server", at: 9000, state: { ...ZERO_STATE, pending: 1 } };
  const died: HistoryEvent = { event: "died", at: 100, process: "server", detail: "exit code 1" };
  const interrupted: HistoryEvent = { event: "stop", at: 100, why: "interrupted" };
  const isState = (event: HistoryEvent) => event.event === "server";
  const isEnd = (event: HistoryEvent) => event.event === "server" || event.event === "stop";
  const verdict = (extra: readonly HistoryEvent[], without?: (event: HistoryEvent) => boolean) => {
    return changedRun({ extra, ...(without && { without }), after: (event) => event.event === "generator" })
      .verdict;
  };
  assertEquals(verdict([slow], of("ack", 1)), "invalid");
  assertEquals(verdict([leak, slow], isState), "failed");
  assertEquals(verdict([died, slow]), "failed");
  assertEquals(verdict([leak, slow, interrupted], isEnd), "interrupted");
});

Deno.test("judge() names a process when it died", pure, () => {
  assertFinding(
    changedRun({ extra: [{ event: "died", at: 100, process: 2, detail: "exit code 137" }] }),
    "died",
    "Generator process 2",
    "exit code 137",
  );
});

Deno.test(
  "judge() returns invalid, and failed by the first rules, when a generator process died",
  pure,
  () => {
    const extra: readonly HistoryEvent[] = [
      { event: "died", at: 100, process: 2, detail: "signal SIGKILL" },
    ];
    const now = changedRun({ extra, without: of("ack", 1), run: { rules: 2 } });
    assertEquals(now.verdict, "invalid");
    assertFinding(now, "overloaded", "Generator process 2 ended before the run did: signal SIGKILL");
    assertEquals(changedRun({ extra }).verdict, "failed");
    const server: HistoryEvent = { event: "died", at: 100, process: "server", detail: "signal SIGKILL" };
    assertEquals(changedRun({ extra: [server], run: { rules: 2 } }).verdict, "failed");
    const scenario = changedRun({ extra, run: { rules: 3, protocol: "scenario" } });
    assertEquals(scenario.count("died"), 1);
  },
);

Deno.test("judge() returns invalid, and names the limit, when the generator is out of it", pure, () => {
  const names = { descriptors: "file descriptors (ulimit -n)", ports: "local ports", memory: "memory" };
  for (const [limit, name] of Object.entries(names)) {
    const refused = { event: "refused", client: 1, at: 11, error: "Cannot connect", limit } as HistoryEvent;
    const judgement = changedRun({ extra: [refused], after: of("start", 1), without: of("ack", 1) });
    assertEquals(judgement.verdict, "invalid", limit);
    assertFinding(judgement, "overloaded", "Client 1", "its generator is out of ", name);
  }
  const refused: HistoryEvent = { event: "refused", client: 1, at: 11, error: "Cannot connect: refused" };
  assertEquals(changedRun({ extra: [refused], after: of("start", 1) }).verdict, "failed");
});

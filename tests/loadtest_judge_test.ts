import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { FindingKind } from "../loadtest/finding.ts";
import type { HistoryEvent } from "../loadtest/history.ts";
import { Ledger } from "../loadtest/ledger.ts";
import { judge, type Judgement } from "../loadtest/verdict.ts";
import {
  addressOf,
  clientEvents,
  goodRun,
  ledgerOf,
  runEvent,
  SERVER,
  ZERO_STATE,
} from "./helpers/run_events.ts";

const pure = { permissions: "none" } as const;

/** A good run of three clients with some events left out, and others put in before the end of the run. */
function changedRun(change: {
  without?: (event: HistoryEvent) => boolean;
  extra?: readonly HistoryEvent[];
  after?: (event: HistoryEvent) => boolean;
  run?: Parameters<typeof runEvent>[1];
}): Judgement {
  const { without = () => false, extra = [], after = (event) => event.event === "generator", run } = change;
  const events = goodRun(3, run).flatMap((event) => {
    return [...(without(event) ? [] : [event]), ...(after(event) ? extra : [])];
  });
  return judge(ledgerOf(events));
}

function assertFinding(judgement: Judgement, kind: FindingKind, ...parts: readonly string[]): void {
  const text = judgement.findings.find((finding) => finding.kind === kind)?.text ?? `no ${kind}`;
  for (const part of parts) assertStringIncludes(text, part);
}

function of(kind: HistoryEvent["event"], client: number): (event: HistoryEvent) => boolean {
  return (event) => event.event === kind && "client" in event && event.client === client;
}

Deno.test("judge() proves a good run", pure, () => {
  const { verdict, findings, account } = judge(ledgerOf(goodRun(50)));
  assertEquals(findings, []);
  assertEquals(verdict, "proven");
  assertEquals([account.clients, account.started, account.acked], [50, 50, 50]);
  assertEquals(account.closed, { natural: 50, timeout: 0, error: 0 });
  assertEquals([account.lost, account.underWay, account.resent, account.reconnects, account.redelivered], [
    0,
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("judge() calls a good run at a foreign server without a state delivered", pure, () => {
  const isState = (event: HistoryEvent) => event.event === "server";
  assertEquals(changedRun({ without: isState, run: { server: "foreign" } }).verdict, "delivered");
  assertEquals(changedRun({ run: { server: "foreign" } }).verdict, "proven");
  const own = changedRun({ without: isState });
  assertEquals(own.verdict, "failed");
  assertFinding(own, "leftover", "did not tell its state");
});

Deno.test("judge() finds a lost ok: sent, timed out, never acknowledged", pure, () => {
  const judgement = changedRun({
    without: (event) => of("ack", 1)(event) || of("close", 1)(event),
    extra: [{ event: "close", client: 1, at: 40_000, reason: "timeout" }],
  });
  assertEquals(judgement.verdict, "failed");
  assertEquals([judgement.account.lost, judgement.account.underWay, judgement.account.acked], [1, 0, 2]);
  assertEquals(judgement.account.closed, { natural: 2, timeout: 1, error: 0 });
  assertFinding(judgement, "lost", "Message 1 of client 1", addressOf(1), "sent once");
});

Deno.test("judge() counts what the deadline cut off as under way, not as lost", pure, () => {
  const judgement = changedRun({
    without: (event) => of("ack", 1)(event) || of("close", 1)(event),
    extra: [{ event: "close", client: 1, at: 70_000, reason: "stopped" }],
  });
  assertEquals([judgement.verdict, judgement.account.lost, judgement.account.underWay], ["failed", 0, 1]);
  assertFinding(judgement, "under-way", "Message 1", addressOf(1));
});

Deno.test("judge() finds an ok that came to a client that did not send it", pure, () => {
  const judgement = changedRun({
    without: of("ack", 1),
    after: of("ack", 0),
    extra: [{ event: "ack", client: 0, at: 20, message: 1 }],
  });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unexpected", `Client 0 (${addressOf(0)})`, "message 1", "which client 1 sends");
});

Deno.test("judge() finds oks and messages that nobody sent", pure, () => {
  const ack = changedRun({ after: of("ack", 0), extra: [{ event: "ack", client: 0, at: 20, message: "?" }] });
  assertFinding(ack, "unexpected", addressOf(0), 'message "?"', "nobody sent");
  assertEquals(ack.verdict, "failed");
  const message = changedRun({
    after: of("ack", 0),
    extra: [{ event: "receive", client: 0, at: 20, message: "?" }],
  });
  assertFinding(message, "unexpected", addressOf(0), 'received message "?"');
  const unsent = changedRun({ without: (event) => of("send", 1)(event) || of("ack", 1)(event) });
  assertFinding(unsent, "unexpected", "Message 1 was delivered, and nobody had sent it");
});

Deno.test("judge() takes messages of other users at a foreign server as they are", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "receive", client: 0, at: 20, message: "from elsewhere" },
    { event: "answer", client: 0, at: 20, message: "from elsewhere" },
  ];
  assertEquals(changedRun({ after: of("ack", 0), extra, run: { server: "foreign" } }).verdict, "proven");
});

Deno.test("judge() finds an ok on a connection on which nothing was sent", pure, () => {
  const judgement = changedRun({ without: of("send", 2) });
  assertFinding(judgement, "unexpected", addressOf(2), "on which it had not sent it");
});

Deno.test("judge() finds an ok that no client had given", pure, () => {
  const forged = changedRun({ without: of("answer", 0) });
  assertEquals(forged.verdict, "failed");
  assertFinding(forged, "unexpected", `Client 1 (${addressOf(1)})`, "message 1", "no client had given");
  assertEquals(changedRun({ without: of("answer", 0), run: { server: "foreign" } }).verdict, "proven");
});

Deno.test("judge() finds a second ok for one send, which only faults excuse", pure, () => {
  const extra: readonly HistoryEvent[] = [{ event: "ack", client: 2, at: 41, message: 2 }];
  const judgement = changedRun({ after: of("ack", 2), extra });
  assertEquals([judgement.verdict, judgement.count("duplicate")], ["failed", 1]);
  assertFinding(judgement, "duplicate", addressOf(2), "more than one ok for message 2");
  const faulty = changedRun({ after: of("ack", 2), extra, run: { faults: true } });
  assertEquals([faulty.verdict, faulty.count("duplicate")], ["proven", 1]);
});

Deno.test("judge() finds a message delivered twice that the server did not redeliver", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "receive", client: 0, at: 16, message: 2 },
    { event: "answer", client: 0, at: 16, message: 2 },
  ];
  const judgement = changedRun({ after: of("answer", 0), extra });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unexpected", "Message 2 was delivered 2 times for 1 sends");
});

Deno.test("judge() takes what the server redelivered as delivered again", pure, () => {
  const events = goodRun(3).flatMap((event): HistoryEvent[] => {
    if (event.event === "server") return [{ ...event, state: { ...ZERO_STATE, redelivered: 1 } }];
    if (!of("answer", 0)(event)) return [event];
    return [event, { event: "receive", client: 0, at: 16, message: 2 }];
  });
  const { verdict, account } = judge(ledgerOf(events));
  assertEquals([verdict, account.redelivered], ["proven", 1]);
});

Deno.test("judge() finds each thing that the server is left with, by name", pure, () => {
  const names = {
    connections: "open connections",
    pending: "pending messages",
    timers: "timers",
    queuedBytes: "queued bytes",
    descriptors: "sockets",
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

Deno.test("judge() counts a resend as recovered, and as a failure only without faults", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "close", client: 0, at: 4, reason: "reset" },
    { event: "connect", client: 0, at: 5, took: 1, local: "127.0.0.1:50000", remote: SERVER },
    { event: "send", client: 0, at: 5 },
  ];
  const smooth = changedRun({ after: of("send", 0), extra });
  assertEquals(smooth.verdict, "failed");
  assertFinding(smooth, "unnatural", "Client 0 (127.0.0.1:50000)", "sent its message 2 times");
  const { verdict, account } = changedRun({ after: of("send", 0), extra, run: { faults: true } });
  assertEquals(verdict, "proven");
  assertEquals([account.resent, account.reconnects, account.recovered, account.acked], [1, 1, 1, 3]);
});

Deno.test("judge() finds ends and connections that did not go smoothly", pure, () => {
  const reset = changedRun({
    without: of("close", 1),
    extra: [{ event: "close", client: 1, at: 40, reason: "reset" }],
  });
  assertEquals([reset.verdict, reset.account.closed.error], ["failed", 1]);
  assertFinding(reset, "unnatural", addressOf(1), "ended as reset");
  const open = changedRun({ without: of("close", 1) });
  assertFinding(open, "unnatural", addressOf(1), "has no last connection that ended");
  const refused = changedRun({
    after: of("start", 1),
    extra: [{ event: "refused", client: 1, at: 11, error: "no" }],
  });
  assertFinding(refused, "unnatural", addressOf(1), "failed to connect once");
  assertEquals([refused.verdict, refused.account.refused], ["failed", 1]);
});

Deno.test("judge() does not take a natural end without the ok for a natural one", pure, () => {
  const { account } = changedRun({ without: of("ack", 1) });
  assertEquals(account.closed, { natural: 2, timeout: 0, error: 1 });
  assertEquals(account.lost, 1);
});

Deno.test("judge() joins the server's ends to the clients by address, in their order", pure, () => {
  const ended = (client: number, reason: "natural" | "reset"): HistoryEvent => {
    return { event: "ended", at: 99, local: SERVER, remote: addressOf(client), reason };
  };
  assertEquals(changedRun({ extra: [ended(0, "natural"), ended(1, "natural")] }).verdict, "proven");
  const reset = changedRun({ extra: [ended(0, "natural"), ended(1, "reset")] });
  assertEquals(reset.verdict, "failed");
  assertFinding(reset, "unnatural", `client 1 (${addressOf(1)})`, "end as reset");
  assertEquals(changedRun({ extra: [ended(1, "reset")], run: { faults: true } }).verdict, "proven");
});

Deno.test("judge() finds unnatural ends that the server only counted", pure, () => {
  const judgement = changedRun({
    without: (event) => event.event === "server",
    extra: [{
      event: "server",
      at: 9000,
      state: { ...ZERO_STATE, closed: { natural: 2, "write-failed": 1 } },
    }],
  });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unnatural", "1 connections end as write-failed");
});

Deno.test(
  "judge() calls a run invalid when the generator was late, or did not start its clients",
  pure,
  () => {
    const late = changedRun({
      without: of("start", 1),
      after: of("planned", 1),
      extra: [{ event: "start", client: 1, at: 10 + 150 }],
    });
    assertEquals(late.verdict, "invalid");
    assertFinding(late, "overloaded", "started 150ms late");
    const lagging = changedRun({ extra: [{ event: "generator", process: 3, loopLag: 250 }] });
    assertEquals(lagging.verdict, "invalid");
    assertFinding(lagging, "overloaded", "generator process 3", "250ms");
    const unstarted = judge(ledgerOf([...goodRun(3).slice(0, 9), ...goodRun(3).slice(-3)]));
    assertFinding(unstarted, "overloaded", "2 clients were planned and never started");
  },
);

Deno.test("judge() holds to the order of verdicts", pure, () => {
  const slow: HistoryEvent = { event: "generator", process: 0, loopLag: 1000 };
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

Deno.test("judge() names a process that died", pure, () => {
  assertFinding(
    changedRun({ extra: [{ event: "died", at: 100, process: 2, detail: "exit code 137" }] }),
    "died",
    "Generator process 2",
    "exit code 137",
  );
});

Deno.test("judge() finds whatever single event of a client is missing or doubled", pure, () => {
  const events = goodRun(3);
  events.forEach((event, place) => {
    if (!("client" in event)) return;
    const missing = judge(ledgerOf(events.filter((_, i) => i !== place)));
    assert(missing.verdict !== "proven", `without ${JSON.stringify(event)}`);
    const doubled = judge(ledgerOf([...events.slice(0, place), event, ...events.slice(place)]));
    assert(doubled.verdict !== "proven", `with twice ${JSON.stringify(event)}`);
  });
});

Deno.test("judge() tells twenty findings of a kind and counts the rest", pure, () => {
  const { findings, count } = judge(ledgerOf(goodRun(50).filter((event) => event.event !== "answer")));
  assertEquals(count("unexpected"), 50);
  assertEquals(findings.length, 21);
  assertEquals(findings.at(-1)?.text, "And 30 more like these");
});

Deno.test("Ledger.absorb() of any partition comes to what one ledger comes to", pure, () => {
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
    assertEquals(other.account, one.account);
    for (const kind of KINDS) assertEquals(other.count(kind), one.count(kind), kind);
  }));
});

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

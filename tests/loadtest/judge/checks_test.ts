import { assert, assertEquals } from "@std/assert";
import { END_TYPES, type HistoryEvent } from "../../../loadtest/history/events.ts";
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

Deno.test("judge() proves a good run", pure, () => {
  const { verdict, findings, counts } = judge(ledgerOf(goodRun(50)));
  assertEquals(findings, []);
  assertEquals(verdict, "proven");
  assertEquals([counts.clients, counts.started, counts.acked], [50, 50, 50]);
  assertEquals(counts.closed, { natural: 50, timeout: 0, error: 0 });
  assertEquals([counts.lost, counts.underWay, counts.resent, counts.reconnects, counts.redelivered], [
    0,
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("judge() finds a lost ok: sent, timed out, never acknowledged", pure, () => {
  const judgement = changedRun({
    without: (event) => of("ack", 1)(event) || of("close", 1)(event),
    extra: [{ event: "close", client: 1, at: 40_000, reason: "timeout" }],
  });
  assertEquals(judgement.verdict, "failed");
  assertEquals([judgement.counts.lost, judgement.counts.underWay, judgement.counts.acked], [1, 0, 2]);
  assertEquals(judgement.counts.closed, { natural: 2, timeout: 1, error: 0 });
  assertFinding(judgement, "lost", "Message 1 of client 1", addressOf(1), "sent once");
});

for (const reason of END_TYPES) {
  Deno.test(`judge() counts a connection that ended as ${reason} as ended`, pure, () => {
    const judgement = changedRun({
      without: (event) => of("ack", 1)(event) || of("close", 1)(event),
      extra: [{ event: "close", client: 1, at: 20, reason }],
    });
    const { verdict, counts, findings } = judgement;
    assertEquals([verdict, counts.lost + counts.underWay], ["failed", 1]);
    assertEquals(counts.closed.natural, 2);
    assertEquals(counts.closed.timeout + counts.closed.error, 1);
    assert(!findings.some(({ kind }) => kind === "inconsistent"));
    assertFinding(judgement, "unnatural", `ended as ${reason}`);
  });
}

Deno.test("judge() counts messages cut off by the deadline as in flight, not as lost", pure, () => {
  const judgement = changedRun({
    without: (event) => of("ack", 1)(event) || of("close", 1)(event),
    extra: [{ event: "close", client: 1, at: 70_000, reason: "stopped" }],
  });
  assertEquals([judgement.verdict, judgement.counts.lost, judgement.counts.underWay], ["failed", 0, 1]);
  assertFinding(judgement, "under-way", "Message 1", addressOf(1));
});

Deno.test(
  "judge() counts a message as lost when its first attempt failed and the deadline cut off the second",
  pure,
  () => {
    const { counts } = changedRun({
      without: (event) => of("ack", 1)(event) || of("close", 1)(event),
      extra: [
        { event: "close", client: 1, at: 40_000, reason: "timeout" },
        { event: "connect", client: 1, at: 40_100, took: 1, local: "127.0.0.1:50000", remote: SERVER },
        { event: "send", client: 1, at: 40_100 },
        { event: "close", client: 1, at: 50_000, reason: "stopped" },
      ],
    });
    assertEquals([counts.lost, counts.underWay], [1, 0]);
  },
);

Deno.test("judge() finds an ok at a client that did not send the message", pure, () => {
  const judgement = changedRun({
    without: of("ack", 1),
    after: of("ack", 0),
    extra: [{ event: "ack", client: 0, at: 20, message: 1 }],
  });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unexpected", `Client 0 (${addressOf(0)})`, "message 1", "which client 1 sends");
});

Deno.test("judge() finds oks and messages that no client sent", pure, () => {
  const ack = changedRun({ after: of("ack", 0), extra: [{ event: "ack", client: 0, at: 20, message: "?" }] });
  assertFinding(ack, "unexpected", addressOf(0), 'message "?"', "no client sent");
  assertEquals(ack.verdict, "failed");
  const message = changedRun({
    after: of("ack", 0),
    extra: [{ event: "receive", client: 0, at: 20, message: "?" }],
  });
  assertFinding(message, "unexpected", addressOf(0), 'received message "?"');
  const unsent = changedRun({ without: (event) => of("send", 1)(event) || of("ack", 1)(event) });
  assertFinding(unsent, "unexpected", "Message 1 was delivered, and no client had sent it");
});

Deno.test("judge() accepts messages of other users at a foreign server", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "receive", client: 0, at: 20, message: "from elsewhere" },
    { event: "answer", client: 0, at: 20, message: "from elsewhere" },
  ];
  assertEquals(changedRun({ after: of("ack", 0), extra, run: { server: "foreign" } }).verdict, "proven");
});

Deno.test("judge() finds an ok on a connection without a send", pure, () => {
  const judgement = changedRun({ without: of("send", 2) });
  assertFinding(judgement, "unexpected", addressOf(2), "on which it had not sent it");
});

Deno.test("judge() finds an ok that no client had sent", pure, () => {
  const forged = changedRun({ without: of("answer", 0) });
  assertEquals(forged.verdict, "failed");
  assertFinding(forged, "unexpected", `Client 1 (${addressOf(1)})`, "message 1", "no client had sent");
  assertEquals(changedRun({ without: of("answer", 0), run: { server: "foreign" } }).verdict, "proven");
});

Deno.test(
  "judge() finds a second ok for one send, and excuses it only when faults are injected",
  pure,
  () => {
    const extra: readonly HistoryEvent[] = [{ event: "ack", client: 2, at: 41, message: 2 }];
    const judgement = changedRun({ after: of("ack", 2), extra });
    assertEquals([judgement.verdict, judgement.count("duplicate")], ["failed", 1]);
    assertFinding(judgement, "duplicate", addressOf(2), "more than one ok for message 2");
    const faulty = changedRun({ after: of("ack", 2), extra, run: { faults: true } });
    assertEquals([faulty.verdict, faulty.count("duplicate")], ["proven", 1]);
  },
);

Deno.test("judge() counts hundreds of oks for one send", pure, () => {
  const extra = Array.from(
    { length: 300 },
    (): HistoryEvent => ({ event: "ack", client: 2, at: 41, message: 2 }),
  );
  assertEquals(changedRun({ after: of("ack", 2), extra }).count("duplicate"), 300);
});

Deno.test("judge() finds a message delivered twice that the server did not redeliver", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "receive", client: 0, at: 16, message: 2 },
    { event: "answer", client: 0, at: 16, message: 2 },
  ];
  const judgement = changedRun({ after: of("answer", 0), extra });
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "unexpected", "Message 2 was delivered 2 times for 1 send");
});

Deno.test("judge() accepts a second delivery when the server redelivered it", pure, () => {
  const events = goodRun(3).flatMap((event): HistoryEvent[] => {
    if (event.event === "server") return [{ ...event, state: { ...ZERO_STATE, redelivered: 1 } }];
    if (!of("answer", 0)(event)) return [event];
    return [event, { event: "receive", client: 0, at: 16, message: 2 }];
  });
  const { verdict, counts } = judge(ledgerOf(events));
  assertEquals([verdict, counts.redelivered], ["proven", 1]);
});

Deno.test("judge() counts a resend as recovered, and fails it only without injected faults", pure, () => {
  const extra: readonly HistoryEvent[] = [
    { event: "close", client: 0, at: 4, reason: "reset" },
    { event: "connect", client: 0, at: 5, took: 1, local: "127.0.0.1:50000", remote: SERVER },
    { event: "send", client: 0, at: 5 },
  ];
  const smooth = changedRun({ after: of("send", 0), extra });
  assertEquals(smooth.verdict, "failed");
  assertFinding(smooth, "unnatural", "Client 0 (127.0.0.1:50000)", "sent its message 2 times");
  const { verdict, counts } = changedRun({ after: of("send", 0), extra, run: { faults: true } });
  assertEquals(verdict, "proven");
  assertEquals([counts.resent, counts.reconnects, counts.recovered, counts.acked], [1, 1, 1, 3]);
});

Deno.test("judge() finds unnatural ends and failed connections", pure, () => {
  const reset = changedRun({
    without: of("close", 1),
    extra: [{ event: "close", client: 1, at: 40, reason: "reset" }],
  });
  assertEquals([reset.verdict, reset.counts.closed.error], ["failed", 1]);
  assertFinding(reset, "unnatural", addressOf(1), "ended as reset");
  const open = changedRun({ without: of("close", 1) });
  assertFinding(open, "unnatural", addressOf(1), "has no closed connection");
  const refused = changedRun({
    after: of("start", 1),
    extra: [{ event: "refused", client: 1, at: 11, error: "no" }],
  });
  assertFinding(refused, "unnatural", addressOf(1), "failed to connect once");
  assertEquals([refused.verdict, refused.counts.refused], ["failed", 1]);
});

Deno.test("judge() does not count an end without the ok as natural", pure, () => {
  const { counts } = changedRun({ without: of("ack", 1) });
  assertEquals(counts.closed, { natural: 2, timeout: 0, error: 1 });
  assertEquals(counts.lost, 1);
});

Deno.test("judge() finds any single event that is missing or duplicated", pure, () => {
  const events = goodRun(3);
  events.forEach((event, place) => {
    if (!("client" in event)) return;
    const missing = judge(ledgerOf(events.filter((_, i) => i !== place)));
    assert(missing.verdict !== "proven", `without ${JSON.stringify(event)}`);
    const doubled = judge(ledgerOf([...events.slice(0, place), event, ...events.slice(place)]));
    assert(doubled.verdict !== "proven", `with twice ${JSON.stringify(event)}`);
  });
});

Deno.test("judge() describes twenty findings of a kind, and counts the rest", pure, () => {
  const { findings, count } = judge(ledgerOf(goodRun(50).filter((event) => event.event !== "answer")));
  assertEquals(count("unexpected"), 50);
  assertEquals(findings.length, 21);
  assertEquals(findings.at(-1)?.text, "And 30 more like these");
});

Deno.test("judge() fails a run whose server restarted a process, unless faults were injected", pure, () => {
  const state = { ...ZERO_STATE, processes: [{ pid: 10, accepted: 3, messages: 3 }], restarts: 1 };
  const restarted: HistoryEvent = { event: "server", at: 5002, state };
  const judgement = judge(ledgerOf([...goodRun(3), restarted]));
  assertEquals(judgement.verdict, "failed");
  assertFinding(judgement, "died", "1 process of the server was restarted");
  assertEquals(judge(ledgerOf([...goodRun(3, { faults: true }), restarted])).verdict, "proven");
});

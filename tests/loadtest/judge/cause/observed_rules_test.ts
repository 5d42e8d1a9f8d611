import { assertEquals } from "@std/assert";
import type { HistoryEvent } from "../../../../loadtest/history/events.ts";
import type { CauseKind } from "../../../../loadtest/judge/cause/rule.ts";
import {
  answered,
  assertCause,
  assertNoCause,
  causeOf,
  each,
  GENERATOR,
  judged,
  life,
  OWN,
  REFUSED,
  refused,
  STOP,
  unanswered,
} from "../../../_util/loadtest/failed_runs.ts";
import { ZERO_STATE } from "../../../_util/loadtest/run_events.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("judge() names the instant at which a server stopped accepting connections", pure, () => {
  const open = [...each(0, 5, answered), ...unanswered(5, "reset", 5, "reset: by peer")];
  const gone = [...open, ...each(6, 11, refused)];
  assertCause(
    judged(11, gone),
    "stopped-accepting",
    "The server accepted its last connection 52ms after the start: 5 clients that started later could not " +
      `connect (${REFUSED})`,
    { follow: "reason,lost,under-way,unnatural" },
  );
  // Too few, one that was not refused, and a connection that ended long before.
  assertNoCause(judged(10, gone.filter((event) => !("client" in event) || event.client < 10)));
  assertNoCause(judged(12, [...gone, ...life(11)]));
  const early = unanswered(0, "reset", 5, "reset: by peer");
  assertNoCause(judged(26, [...early, ...each(1, 20, answered), ...each(20, 26, refused)]));
});

Deno.test("judge() names refused connections as the cause when nothing else failed", pure, () => {
  const lives = [...each(0, 3, answered), ...refused(3), ...each(4, 9, answered), ...refused(9)];
  assertCause(
    judged(10, lives),
    "not-connected",
    `Clients could not connect 2 times, most often: ${REFUSED}`,
    {
      follow: "reason,under-way,unnatural",
    },
  );
  assertNoCause(judged(11, [...lives, ...unanswered(10)]));
  // The generator itself was the limit.
  const limited = lives.map((event): HistoryEvent =>
    event.event === "refused" ? { ...event, limit: "ports" } : event
  );
  assertEquals(judged(10, limited).cause, undefined);
});

Deno.test("judge() names errors of the server as the cause when each missing ok may have one", pure, () => {
  const error = (client: number): HistoryEvent => ({ event: "error", client, at: 99, text: "error busy" });
  const lives = [...answered(0), ...each(1, 4, unanswered)];
  assertCause(
    judged(4, [...lives, ...[1, 2, 3].map(error)]),
    "error-replies",
    "The server sent 3 errors, and no ok for 3 sends: error busy",
    { follow: "reason,lost,unnatural", others: "reason" },
  );
  assertNoCause(judged(4, [...lives, ...[1, 2].map(error)]));
  // A message that was in flight when the run ended need not have one, and has another cause.
  const stopped = unanswered(4, "stopped", 4000);
  const invalid: HistoryEvent = { event: "error", client: 1, at: 99, text: "an invalid frame: …" };
  assertCause(
    judged(5, [...lives, ...[1, 2, 3].map(error), ...stopped]),
    "error-replies",
    "The server sent 3 errors, and no ok for 4 sends: error busy",
    { follow: "reason,lost,unnatural", others: "reason,under-way" },
  );
  assertCause(
    judged(5, [...lives, ...[1, 2, 3].map(error), invalid, ...stopped]),
    "error-replies",
    "The server sent 4 errors or invalid frames, and no ok for 4 sends, most often: error busy",
    { follow: "reason,lost,under-way,unnatural", others: "reason" },
  );
});

Deno.test("judge() names wrong replies as the cause when each missing one may be one of them", pure, () => {
  const nope = (client: number): HistoryEvent[] => {
    const [planned, start, connect, send, close] = unanswered(client);
    const ack: HistoryEvent = { event: "ack", client, at: 10 * client + 3, message: "nope" };
    return [planned!, start!, connect!, send!, ack, close!];
  };
  const lives = [...answered(0), ...each(1, 4, nope)];
  assertCause(
    judged(4, lives),
    "wrong-replies",
    "The server sent 3 unexpected replies, and not the expected one to 3 of 4 sends",
    { follow: "reason,lost,unnatural", others: "unexpected" },
  );
  assertNoCause(judged(5, [...lives, ...unanswered(4)]));
  const status = (client: number) => unanswered(client, "local", 9, "local: HTTP status 500");
  assertCause(
    judged(3, [...answered(0), ...status(1), ...status(2)], { run: { protocol: "hello" } }),
    "wrong-replies",
    "The server answered 2 of 3 requests with another response than expected",
    { follow: "lost,unnatural", others: "reason" },
  );
});

Deno.test("judge() names connections that the server ended, unless others timed out", pure, () => {
  const why = "local: the server closed the connection before its reply";
  const cut = (client: number) => unanswered(client, "local", 9, why);
  const lives = [...answered(0), ...each(1, 3, cut), ...unanswered(3, "reset", 9, "reset: by peer")];
  assertCause(
    judged(4, lives),
    "closed-early",
    "The server ended 3 of 4 connections before its reply",
    { follow: "reason,lost,unnatural" },
  );
  assertNoCause(judged(5, [...lives, ...unanswered(4)]));
});

Deno.test(
  "judge() names a server that never replied, unless faults or a late generator may be why",
  pure,
  () => {
    const lives = each(0, 3, unanswered);
    const text = "The server accepted 3 connections, and replied to none of 3 sends in time";
    assertCause(judged(3, lives), "no-replies", text, { follow: "reason,lost,unnatural" });
    assertNoCause(judged(3, lives, { run: { faults: true } }));
    const late: HistoryEvent = { event: "generator", process: 0, loopLag: 500, socketLag: 1 };
    assertEquals(judged(3, lives, { ending: [late, STOP] }).cause, undefined);
  },
);

Deno.test("judge() counts what a server that hangs cannot do any more as a consequence", pure, () => {
  const killed: HistoryEvent = { event: "killed", at: 9000, detail: "did not end within 15s" };
  const hung = (state: typeof ZERO_STATE | null, run = OWN) =>
    judged(3, each(0, 3, unanswered), {
      run,
      ending: [GENERATOR, STOP, { event: "server", at: 5001, state }, killed],
    });
  const text = "The server accepted 3 connections, and replied to none of 3 sends in time";
  assertCause(hung(null), "no-replies", text, { follow: "leftover,hung,reason,lost,unnatural" });
  // It reports its state, so that it does not hang; messages without an ok are pending, of course.
  assertCause(hung({ ...ZERO_STATE, pending: 3, connections: 1 }), "no-replies", text, {
    follow: "leftover,reason,lost,unnatural",
    others: "leftover,hung",
  });
  assertCause(hung({ ...ZERO_STATE, pending: 4 }), "no-replies", text, {
    follow: "reason,lost,unnatural",
    others: "leftover,hung",
  });
});

Deno.test("judge() does not explain more unnatural ends at the server than its clients had", pure, () => {
  const state = { ...ZERO_STATE, closed: { natural: 0, reset: 4 } };
  const ending: HistoryEvent[] = [GENERATOR, STOP, { event: "server", at: 5001, state }];
  const follows = (count: number) => causeOf(judged(count, each(0, count, unanswered), { ending })).slice(2);
  assertEquals(follows(3), ["reason,lost", "unnatural"]);
  assertEquals(follows(4), ["reason,lost,unnatural", ""]);
});

Deno.test("judge() names the instant at which a server stopped replying", pure, () => {
  const lives = [...each(0, 5, answered), ...each(5, 10, unanswered)];
  assertCause(
    judged(10, lives),
    "stopped-replying",
    "The server stopped replying 45ms after the start: 5 sends had no reply, and nothing arrived for the last 4.955s",
    { follow: "reason,lost,unnatural" },
  );
  // A client that timed out while another one was answered.
  const mixed = [
    ...unanswered(0, "timeout", 20),
    ...lives.filter((event) => "client" in event && event.client > 0),
  ];
  assertEquals(judged(10, mixed).cause?.kind, "missing-replies");
  // The run ended too soon to be sure, or too few sends are without a reply.
  const stoppedAt = (at: number): CauseKind | undefined =>
    judged(10, lives, { ending: [GENERATOR, { event: "stop", at, why: "deadline" }] }).cause?.kind;
  assertEquals([stoppedAt(1044), stoppedAt(1045)], ["missing-replies", "stopped-replying"]);
  assertEquals(judged(9, lives.slice(0, -5)).cause?.kind, "missing-replies");
});

/** A relay client without an ok, whose message was delivered to itself, and answered. */
function relayed(client: number, steps: 0 | 1 | 2): HistoryEvent[] {
  const [planned, start, connect, send, close] = unanswered(client);
  const at = 10 * client + 3;
  const [receive, answer] = [
    { event: "receive", client, at, message: client } as const,
    { event: "answer", client, at, message: client } as const,
  ];
  return [planned!, start!, connect!, send!, ...[receive, answer].slice(0, steps), close!];
}

Deno.test("judge() names the step at which a relay lost messages, unless clients may have", pure, () => {
  const relay = { run: { protocol: "relay" } } as const;
  const of = (steps: readonly (0 | 1 | 2)[]) =>
    judged(9, [
      ...each(0, 9 - steps.length, answered),
      ...steps.flatMap((one, index) => relayed(9 - steps.length + index, one)),
    ], relay);
  const follow = { follow: "reason,lost,unnatural" };
  assertCause(
    of([0, 0, 0]),
    "not-delivered",
    "The server did not deliver 3 of 9 messages to any client of this run",
    follow,
  );
  assertCause(
    of([2]),
    "not-acknowledged",
    "The server returned no ok for 1 of 9 messages, although clients had answered",
    follow,
  );
  assertNoCause(of([0, 2]));
  assertNoCause(of([1]));
  // Clients hold messages, which is not the server's silence.
  assertNoCause(judged(10, [...each(0, 5, answered), ...each(5, 10, (client) => relayed(client, 1))], relay));
});

Deno.test("judge() names missing replies as the cause of retries", pure, () => {
  const lives = [...unanswered(0, "timeout", 5), ...answered(1), ...unanswered(2), ...answered(3)];
  assertCause(judged(4, lives), "missing-replies", "The server sent no reply to 2 of 4 sends in time", {
    follow: "reason,lost,unnatural",
  });
});

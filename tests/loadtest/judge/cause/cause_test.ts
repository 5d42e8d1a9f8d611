import { assertEquals } from "@std/assert";
import type { CauseKind } from "../../../../loadtest/judge/cause/rule.ts";
import type { EndType, HistoryEvent, RunEvent } from "../../../../loadtest/history/events.ts";
import { judge, type Judgement } from "../../../../loadtest/judge/verdict.ts";
import { addressOf, ledgerOf, runEvent, SERVER, ZERO_STATE } from "../../../_util/loadtest/run_events.ts";
import { pure } from "../../../_util/permissions.ts";

/** Events of one client, which starts 10 ms after the one before it. */
function life(client: number, more: (at: number) => readonly HistoryEvent[] = () => []): HistoryEvent[] {
  const at = 10 * client;
  return [
    { event: "planned", client, at, text: `hello #${client}` },
    { event: "start", client, at },
    ...more(at),
  ];
}

function connected(client: number, at: number): HistoryEvent[] {
  return [
    { event: "connect", client, at: at + 2, took: 2, local: addressOf(client), remote: SERVER },
    { event: "send", client, at: at + 2 },
  ];
}

/** A client that sends, and whose connection ends after a time without its ok. */
function unanswered(client: number, reason: EndType = "timeout", after = 1000, detail = `${reason}: …`) {
  return life(client, (at) => [
    ...connected(client, at),
    { event: "close", client, at: at + after, reason, detail },
  ]);
}

function answered(client: number): HistoryEvent[] {
  return life(client, (at) => [
    ...connected(client, at),
    { event: "ack", client, at: at + 5, message: client },
    { event: "close", client, at: at + 6, reason: "natural" },
  ]);
}

const REFUSED = "Cannot connect to 127.0.0.1:8000: refused";

function refused(client: number, error = REFUSED): HistoryEvent[] {
  return life(client, (at) => [{ event: "refused", client, at: at + 1, error }]);
}

/** The clients from `from` up to `to`. */
function each(from: number, to: number, one: (client: number) => HistoryEvent[]): HistoryEvent[] {
  return Array.from({ length: to - from }, (_, index) => one(from + index)).flat();
}

const GENERATOR: HistoryEvent = { event: "generator", process: 0, loopLag: 1, socketLag: 1 };
const STOP: HistoryEvent = { event: "stop", at: 5000, why: "deadline" };

/** Judges a run of echo clients at a foreign server that ended at its deadline. */
function judged(
  clients: number,
  lives: readonly HistoryEvent[],
  { run = {}, ending = [GENERATOR, STOP] }: {
    run?: Partial<RunEvent>;
    ending?: readonly HistoryEvent[];
  } = {},
): Judgement {
  return judge(ledgerOf([
    runEvent(clients, { protocol: "echo", server: "foreign", ...run }),
    ...lives,
    ...ending,
  ]));
}

/** The cause, and the kinds of findings that follow from it and that do not. */
function causeOf({ cause, findings }: Judgement): readonly unknown[] {
  const kinds = (wanted: boolean): string =>
    [...new Set(findings.filter(({ follows = false }) => follows === wanted).map(({ kind }) => kind))].join();
  return [cause?.kind, cause?.text, kinds(true), kinds(false)];
}

function assertCause(
  judgement: Judgement,
  kind: CauseKind,
  text: string,
  { follow, others = "" }: { follow: string; others?: string },
): void {
  assertEquals(judgement.verdict, "failed");
  assertEquals(causeOf(judgement), [kind, text, follow, others]);
}

function assertNoCause(judgement: Judgement): void {
  assertEquals(judgement.verdict, "failed");
  assertEquals([judgement.cause, judgement.findings.some(({ follows }) => follows)], [undefined, false]);
}

const died = (at: number): HistoryEvent => ({ event: "died", at, process: "server", detail: "exit code 3" });
const OWN: Partial<RunEvent> = { server: "own", protocol: "relay" };

Deno.test("judge() names the end of the server as the cause of what followed", pure, () => {
  const ending = [GENERATOR, died(100), { ...STOP, at: 101, why: "died" } as HistoryEvent];
  const lives = [...each(0, 5, answered), ...unanswered(5, "reset", 49), ...life(6)];
  const unreported: HistoryEvent = { event: "server", at: 102, state: null };
  // Clients 7 and 8 were never started.
  const planned = each(7, 9, (client) => life(client).slice(0, 1));
  const death = "The server ended before the run did: exit code 3, 100ms after the start";
  const whole = judged(9, [...lives, ...planned], {
    run: { server: "own" },
    ending: [...ending, unreported],
  });
  assertCause(whole, "server-ended", death, {
    follow: "leftover,overloaded,reason,lost,under-way,unnatural",
    others: "died",
  });
  // A connection that was reset long before has another cause.
  const later = [
    GENERATOR,
    died(5000),
    { ...STOP, at: 5001, why: "died" } as HistoryEvent,
    unreported,
  ];
  assertCause(
    judged(9, [...lives, ...planned], { run: { server: "own" }, ending: later }),
    "server-ended",
    "The server ended before the run did: exit code 3, 5s after the start",
    { follow: "leftover,overloaded", others: "died,reason,lost,under-way,unnatural" },
  );
});

Deno.test(
  "judge() does not call replies that were wrong before a consequence of the end of the server",
  pure,
  () => {
    const lives = [
      ...each(0, 5, answered),
      ...life(5, (at) => [...connected(5, at), { event: "ack", client: 5, at: at + 3, message: "nope" }]),
    ];
    const ending = [GENERATOR, died(100), { ...STOP, at: 101, why: "died" } as HistoryEvent];
    const found = judged(6, lives, { run: { server: "own" }, ending });
    assertEquals(causeOf(found).slice(2), ["leftover,under-way,unnatural", "died,unexpected"]);
  },
);

Deno.test(
  "judge() names restarted processes as the cause of ended connections, but not of timeouts",
  pure,
  () => {
    const state = { ...ZERO_STATE, processes: [{ pid: 1, accepted: 9 }], restarts: 2 };
    const ending: HistoryEvent[] = [GENERATOR, STOP, { event: "server", at: 5001, state }];
    const again = (reason: EndType): HistoryEvent[] => {
      const [, , ...rest] = answered(5).map((event) =>
        "at" in event ? { ...event, at: event.at + 200 } : event
      );
      return [...unanswered(5, reason, 50), ...rest];
    };
    const lives = [...each(0, 5, answered), ...again("reset")];
    assertCause(
      judged(6, lives, { run: { server: "own" }, ending }),
      "server-restarted",
      "2 processes of the server were restarted, and the server ended 1 of 7 connections early",
      { follow: "died,reason,unnatural" },
    );
    assertNoCause(
      judged(6, [...each(0, 5, answered), ...again("timeout")], { run: { ...OWN, faults: true }, ending }),
    );
  },
);

Deno.test("judge() names an agent that ended as the cause of clients without records", pure, () => {
  const death: HistoryEvent = { event: "died", at: 9, process: 1, agent: "a:1", detail: "connection lost" };
  const lives = [...answered(0), ...life(1).slice(0, 1)];
  const found = judged(2, lives, { run: { rules: 2 }, ending: [death, GENERATOR, STOP] });
  assertCause(
    found,
    "generator-ended",
    "Generator process 1 at the agent a:1 ended before the run did: connection lost",
    { follow: "overloaded", others: "died" },
  );
});

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
  const soon: HistoryEvent = { event: "stop", at: 1044, why: "deadline" };
  assertEquals(judged(10, lives, { ending: [GENERATOR, soon] }).cause?.kind, "missing-replies");
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

Deno.test(
  "judge() claims no cause when a failure is alone, or the run is interrupted or proven",
  pure,
  () => {
    const left: HistoryEvent = { event: "server", at: 5001, state: { ...ZERO_STATE, connections: 1 } };
    assertNoCause(judged(3, each(0, 3, answered), { ending: [GENERATOR, STOP, left] }));
    const interrupted: HistoryEvent = { event: "stop", at: 5000, why: "interrupted" };
    assertEquals(judged(3, each(0, 3, unanswered), { ending: [GENERATOR, interrupted] }).cause, undefined);
    assertEquals(judged(3, each(0, 3, answered)).cause, undefined);
  },
);

Deno.test("judge() names an unreachable server as the cause", pure, () => {
  const found = judged(2, each(0, 2, refused), {
    ending: [GENERATOR, { event: "stop", at: 1500, why: "unreachable" }],
  });
  const text = `No client could connect, so the run ended after 1.5s: ${REFUSED}`;
  assertCause(found, "unreachable", text, { follow: "", others: "unreachable,reason" });
});

/** A session of a scenario with a request. */
function session(
  client: number,
  result: "ok" | "wrong" | "lost" | "under-way",
  detail = "…",
): HistoryEvent[] {
  const at = 10 * client;
  const took = result === "ok" || result === "wrong" ? 5 : 1000;
  return [
    ...life(client, () => connected(client, at).slice(0, 1)),
    {
      ...{ event: "ask", client, at: at + took, ask: 0, step: "hello", due: at, sent: at + 2 },
      ...(result === "ok" ? {} : { result, detail }),
    } as HistoryEvent,
    { event: "session", client, at: at + took, result: result === "ok" ? "done" : "failed" },
    { event: "close", client, at: at + took + 1, reason: "natural" },
  ];
}

const SCENARIO = { run: { protocol: "scenario" } } as const;

Deno.test("judge() names the cause of a scenario that got no replies", pure, () => {
  const lost = (client: number) => session(client, "lost");
  const ok = (client: number) => session(client, "ok");
  const unsent: HistoryEvent = { event: "shape", process: 0, lag: 1, planned: 9, heldBack: 0, notSent: 2 };
  const ending = [unsent, GENERATOR, STOP];
  assertCause(
    judged(3, each(0, 3, lost), { ...SCENARIO, ending }),
    "no-replies",
    "The server accepted 3 connections, and replied to none of 3 requests in time",
    { follow: "lost,unnatural" },
  );
  assertCause(
    judged(10, [...each(0, 5, ok), ...each(5, 10, lost)], SCENARIO),
    "stopped-replying",
    "The server stopped replying 45ms after the start: 5 requests had no reply, and nothing arrived for the last 4.955s",
    { follow: "lost" },
  );
  const cut = (client: number) =>
    session(client, "lost", 'no reply to "hello" before the connection ended (closed by the server)');
  assertCause(
    judged(4, [...ok(0), ...each(1, 4, cut)], { ...SCENARIO, ending }),
    "closed-early",
    "The server ended connections before its reply to 3 of 4 requests",
    { follow: "lost,unnatural" },
  );
  assertCause(
    judged(4, [...ok(0), ...lost(1), ...ok(2), ...ok(3)], { ...SCENARIO, ending }),
    "missing-replies",
    "The server sent no reply to 1 of 4 requests in time",
    { follow: "lost,unnatural" },
  );
});

Deno.test("judge() claims no cause for a scenario when other replies may explain missing ones", pure, () => {
  const lost = each(0, 3, (client) => session(client, "lost"));
  assertNoCause(judged(4, [...lost, ...session(3, "wrong")], SCENARIO));
  const frame = (kind: "handled" | "unexpected"): HistoryEvent => {
    return { event: "frame", client: 0, at: 9, kind, text: '"pong"' };
  };
  assertNoCause(judged(3, [...lost, frame("unexpected")], SCENARIO));
  // A session that waits for nothing from the server.
  const thinking: HistoryEvent[] = [
    ...life(3, () => connected(3, 30).slice(0, 1)),
    { event: "session", client: 3, at: 5000, result: "unfinished", detail: "in a think time" },
    { event: "close", client: 3, at: 5001, reason: "stopped" },
  ];
  assertEquals(causeOf(judged(4, [...lost, ...thinking], SCENARIO)), [
    "no-replies",
    "The server accepted 4 connections, and replied to none of 3 requests in time",
    "lost",
    "under-way",
  ]);
  // What a handler took may have been the replies.
  assertNoCause(judged(3, [...lost, frame("handled")], SCENARIO));
  // There is nothing to explain but the missing reply itself.
  assertNoCause(judged(2, [...session(0, "lost"), ...session(1, "ok")], SCENARIO));
});

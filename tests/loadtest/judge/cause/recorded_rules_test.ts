import { assertEquals } from "@std/assert";
import type { EndType, HistoryEvent } from "../../../../loadtest/history/events.ts";
import {
  answered,
  assertCause,
  assertNoCause,
  causeOf,
  connected,
  died,
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
  // Connections end up to 500 ms before the death is known; what was reset before that has another cause.
  const followingOf = (at: number): unknown =>
    causeOf(
      judged(9, [...lives, ...planned], {
        run: { server: "own" },
        ending: [GENERATOR, died(at), { ...STOP, at: at + 1, why: "died" } as HistoryEvent, unreported],
      }),
    )[2];
  assertEquals(followingOf(99 + 500), "leftover,overloaded,reason,lost,under-way,unnatural");
  assertEquals(followingOf(99 + 501), "leftover,overloaded");
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

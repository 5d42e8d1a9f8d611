import { assertEquals } from "@std/assert";
import type { HistoryEvent } from "../../../../loadtest/history/events.ts";
import {
  assertCause,
  assertNoCause,
  causeOf,
  connected,
  each,
  GENERATOR,
  judged,
  life,
  STOP,
} from "../../../_util/loadtest/failed_runs.ts";
import { pure } from "../../../_util/permissions.ts";

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

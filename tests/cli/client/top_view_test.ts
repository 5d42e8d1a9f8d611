import { assertEquals, assertStringIncludes } from "@std/assert";
import { connectionsOf, topView } from "../../../cli/client/top_view.ts";
import { pure } from "../../_util/permissions.ts";

const row = {
  id: 7,
  address: "127.0.0.1:40000",
  since: 10_000,
  idle: 1500,
  bytesIn: 3 * 1024 * 1024,
  bytesOut: 12,
  linesIn: 400,
  linesOut: 2,
  pending: 1,
  queued: 0,
};
const snapshot = {
  at: 100_000,
  health: { name: "relay", ready: true, reasons: [] },
  state: {
    connections: 1200,
    pending: 3,
    queuedBytes: 2048,
    refused: 4,
    accepted: 1500,
    messages: 9000,
    oks: 8000,
  },
  list: { now: 100_000, matched: 1200, connections: [row] },
};

Deno.test("topView() shows the server, its connections, and how many are not shown", pure, () => {
  assertEquals(topView(snapshot, { sort: "bytes_in", order: "desc" }).split("\n"), [
    "relay, ready: 1,200 connections, 3 pending, 2.0 KiB queued, 4 refused",
    "┌────┬─────────────────┬──────────┬───────┬─────────┬──────┬──────────┬───────────┬─────────┬────────┐",
    "│ id │ address         │ open for │ idle  │ in ↓    │ out  │ lines in │ lines out │ pending │ queued │",
    "├────┼─────────────────┼──────────┼───────┼─────────┼──────┼──────────┼───────────┼─────────┼────────┤",
    "│  7 │ 127.0.0.1:40000 │ 90 s     │ 1.5 s │ 3.0 MiB │ 12 B │      400 │         2 │       1 │ 0 B    │",
    "└────┴─────────────────┴──────────┴───────┴─────────┴──────┴──────────┴───────────┴─────────┴────────┘",
    "1 of 1,200 connections",
  ]);
});

Deno.test("topView() shows rates since the snapshot before", pure, () => {
  const before = {
    ...snapshot,
    at: 98_000,
    state: { ...snapshot.state, messages: 5000, accepted: 1490, oks: 8000 },
  };
  assertStringIncludes(
    topView(snapshot, { sort: "id", order: "asc", before }),
    "\n5 connections/s, 2,000 messages/s, 0 oks/s\n",
  );
});

Deno.test("topView() says why the server is not ready", pure, () => {
  const health = { name: "chat", ready: false, reasons: ["draining", "out of descriptors"] };
  const view = topView({ ...snapshot, health, state: { connections: 1 } }, { sort: "id", order: "asc" });
  assertStringIncludes(view, "chat, draining, out of descriptors: 1 connection\n");
});

Deno.test("topView() escapes what an admin server could send to a terminal", pure, () => {
  const list = { ...snapshot.list, connections: [{ ...row, address: "\x1b[2J" }, null, 5] };
  const view = topView({ ...snapshot, list, health: { name: "\x1b]0;x" } }, { sort: "id", order: "asc" });
  assertEquals(view.includes("\x1b"), false);
  assertEquals(connectionsOf({ connections: "no" }), []);
});

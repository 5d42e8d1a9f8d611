/** Servers that are killed or replaced under load, in small; in full with `deno task recovery`. */
import { assert, assertEquals } from "@std/assert";
import { killAndRestart, rollingRestart } from "../../../bench/trials/recovery.ts";

const load = { clients: 150, window: 1000, hold: 600 };

Deno.test("recovery.ts proves every message when the server is killed and restarted", async () => {
  const { clients, acked, lost, resent, left } = await killAndRestart(load);
  assertEquals([acked, lost, left], [clients, 0, 0]);
  assert(resent > 0, "the server was killed when no message was in flight");
});

Deno.test("recovery.ts proves every message when two servers on one port are replaced in turn", async () => {
  const { clients, acked, lost, left, connected, takenOver, firstEnd } = await rollingRestart(load);
  assertEquals([acked, lost, left], [clients, 0, 0]);
  assertEquals(firstEnd, { code: 0, signal: null });
  assert(connected > 0 && takenOver > 0, "one of the two had nothing to do");
});

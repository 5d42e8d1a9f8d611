/** Servers that are killed or replaced under load, in small; in full with `deno task recovery`. */
import { assert, assertEquals } from "@std/assert";
import { killAndRestart, rollingRestart } from "../bench/recovery.ts";

const load = { clients: 150, window: 300 };

Deno.test("Every client gets its ok though the server is killed and started again", async () => {
  const { clients, acked, resent, left } = await killAndRestart(load);
  assertEquals([acked, left], [clients, 0]);
  assert(resent > 0, "the server was killed when nothing was under way");
});

Deno.test("A rolling restart on one port loses nothing, and both servers end with nothing", async () => {
  const { clients, acked, old, takenOver } = await rollingRestart(load);
  assertEquals(acked, clients);
  assertEquals([old.connections, old.pending, old.timers, old.queuedBytes], [0, 0, 0, 0]);
  assertEquals(old.closed.timeout, 0);
  assert(takenOver > 0 && old.settled > 0, "one of the two had nothing to do");
});

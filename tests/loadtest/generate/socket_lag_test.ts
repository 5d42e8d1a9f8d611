import { assert, assertEquals } from "@std/assert";
import { SocketLag } from "../../../loadtest/generate/socket_lag.ts";
import { delay } from "@std/async/delay";
import { systemClock, systemNetwork } from "../../../socket/mod.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";

/** Lets a second pass, in which all that is on its way arrives. */
async function atRest({ clock }: Simulation): Promise<void> {
  await clock.runUntil(new Promise<void>((resolve) => clock.after(1000, resolve)));
}

Deno.test(
  "SocketLag measures the time of a byte to itself, and closes its sockets",
  { permissions },
  async () => {
    const world = new Simulation({ latency: 30 });
    const lag = new SocketLag({ ...world.seam, interval: 20 });
    lag.start();
    await atRest(world);
    const p99 = await world.clock.runUntil(lag.stop());
    await atRest(world);
    assert(Math.abs(p99 - 30) < 1, `${p99}`);
    assertEquals([world.network.stats().sockets, world.clock.timers], [0, 0]);
  },
);

Deno.test("SocketLag.stop() waits for a connection in progress", { permissions }, async () => {
  const world = new Simulation({ latency: 30 });
  const lag = new SocketLag({ ...world.seam, interval: 20 });
  lag.start();
  assertEquals(await world.clock.runUntil(lag.stop()), 0);
  await atRest(world);
  assertEquals([world.network.stats().sockets, world.clock.timers], [0, 0]);
});

Deno.test("SocketLag measures how long its process is blocked", async () => {
  const lag = new SocketLag({ network: systemNetwork, clock: systemClock, interval: 1 });
  lag.start();
  await delay(20);
  const busyUntil = performance.now() + 150;
  while (performance.now() < busyUntil);
  await delay(20);
  assert(await lag.stop() >= 100);
});

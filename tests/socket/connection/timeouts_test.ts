/** Timeouts of connections, at the limit and past it. */
import { assertEquals } from "@std/assert";
import type { CloseReason } from "../../../socket/errors.ts";
import { listen } from "../../../socket/listen.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { startLineEcho } from "../../_util/network/line_echo.ts";
import { on } from "../../_util/on_event.ts";

const permissions = "none";

Deno.test(
  "Connection.timeouts.firstFrame closes only connections that send no frame, after an error line",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { timeouts: { firstFrame: 1000 } });
    const [silent, dripping, quick] = [
      await world.peer(server.port),
      await world.clock.runUntil(world.network.connect({ port: server.port })),
      await world.peer(server.port),
    ];
    for (let i = 0; i < 9; i++) {
      await dripping.write(new Uint8Array([0x61])); // bytes do not reset it, only a line does
      await world.clock.advance(100);
    }
    quick.say("hello");
    assertEquals(await quick.hear(), "hello");
    await world.clock.advance(99);
    assertEquals(server.listener.stats().connections, 3);
    await world.clock.advance(1);
    assertEquals(await silent.hear(), "error timeout: first line for 1000 ms");
    await world.clock.advance(5000);
    assertEquals(server.listener.stats().connections, 1);
    const late: CloseReason = { type: "timeout", which: "first line", ms: 1000 };
    assertEquals(server.reasons, [late, late]);
    quick.connection.abort();
    silent.connection.abort();
    dripping.close();
  },
);

Deno.test(
  "Connection.timeouts.idle and firstFrame do not restart each other",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { timeouts: { firstFrame: 1000, idle: 700 } });
    const socket = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await world.clock.advance(600);
    await socket.write(new Uint8Array([0x61])); // not idle, but no line yet
    await world.clock.advance(399);
    assertEquals(server.listener.stats().connections, 1);
    await world.clock.advance(1001);
    assertEquals(server.reasons, [{ type: "timeout", which: "first line", ms: 1000 }]);
    socket.close();
  },
);

Deno.test(
  "Connection.timeouts.idle sends an error line, and closes a peer that has gone",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { timeouts: { idle: 1000 } });
    const peer = await world.peer(server.port);
    const gone = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await world.clock.advance(999);
    assertEquals(server.listener.stats().connections, 2);
    await world.clock.advance(1);
    assertEquals(await peer.hear(), "error timeout: idle for 1000 ms");
    await world.clock.advance(1000); // The limit for a peer that does not answer.
    assertEquals(server.listener.stats().connections, 0);
    const idle: CloseReason = { type: "timeout", which: "idle", ms: 1000 };
    assertEquals(server.reasons, [idle, idle]);
    peer.connection.abort();
    gone.close();
  },
);

Deno.test(
  "Connection.timeouts.write closes a peer that reads nothing, but not one that reads slowly",
  { permissions },
  async () => {
    const world = new Simulation();
    const reasons: CloseReason[] = [];
    await using server = listen({
      ...world.seam,
      timeouts: { write: 1000 },
      onEvent: on("closed", ({ reason }) => reasons.push(reason)),
    });
    const line = "x".repeat(200 * 1024); // more than the network holds
    const served = server.serve(async (peer) => {
      peer.send(line);
      await peer.closed;
    });
    const slow = await world.clock.runUntil(world.network.connect({ port: server.port }));
    const stuck = await world.clock.runUntil(world.network.connect({ port: server.port }));
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(900);
      await slow.read(new Uint8Array(20 * 1024));
    }
    assertEquals(reasons, [{ type: "timeout", which: "write", ms: 1000 }]);
    await world.clock.advance(1000);
    assertEquals(reasons.length, 2); // it has stopped as well
    await server.close();
    await served;
    slow.close();
    stuck.close();
  },
);

/** A listener that is looped over. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Connection } from "../../socket/connection.ts";
import { systemError } from "../../internal/os_errors.ts";
import { memoryServer } from "../_util/programs/memory_server.ts";
import { text } from "../_util/network/transport_pair.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

Deno.test("Listener yields its connections, and accepts the next one on demand", {
  permissions,
}, async () => {
  await using server = memoryServer();
  const ids: number[] = [];
  const hold = Promise.withResolvers<void>();
  const loop = (async () => {
    for await (const peer of server.listener) {
      ids.push(peer.id);
      if (peer.id === 1) await hold.promise;
    }
  })();
  for (let i = 0; i < 4; i++) await server.dial();
  // One is with the loop, one waits for it, the others are in the queue of the system.
  assertEquals([ids, server.listener.stats().accepted, server.network.stats().queued], [[1], 2, 2]);
  hold.resolve();
  await server.clock.advance(0);
  assertEquals(ids, [1, 2, 3, 4]);
  await server.listener.close();
  await loop;
});

Deno.test(
  "Listener[Symbol.asyncIterator]() unbinds and closes connections that were not taken when the loop stops",
  { permissions },
  async () => {
    const ends: string[] = [];
    await using server = memoryServer({
      onEvent: on(
        "closed",
        ({ connection: peer, reason }) =>
          ends.push(`${peer.id} ${reason.type === "local" ? reason.why : reason.type}`),
      ),
    });
    const release = Promise.withResolvers<void>();
    let kept: Connection | undefined;
    const loop = (async () => {
      for await (const peer of server.listener) {
        await release.promise;
        kept = peer;
        break;
      }
    })();
    await server.dial();
    await server.dial();
    await server.dial();
    release.resolve();
    await server.clock.runUntil(loop);
    await server.clock.advance(0);
    assertEquals(ends, ["2 not served"]);
    assertEquals(kept?.open, true);
    assertEquals(server.network.stats().listeners, 0);
  },
);

Deno.test("Listener.close() does not hang within its loop when another connection is queued", {
  permissions,
}, async () => {
  await using server = memoryServer();
  const loop = (async () => {
    let count = 0;
    for await (const peer of server.listener) {
      count++;
      for await (const _ of peer) break;
      await server.listener.close();
    }
    return count;
  })();
  const one = await server.dial();
  await server.dial();
  await server.dial();
  await one.write(text("go\n"));
  assertEquals(await server.clock.runUntil(loop), 1);
  assertEquals(server.listener.stats().connections, 0);
});

Deno.test("Listener[Symbol.asyncIterator]() throws when accepting fails permanently", {
  permissions,
}, async () => {
  const server = memoryServer();
  const seen: number[] = [];
  const hold = Promise.withResolvers<void>();
  const loop = assertRejects(
    async () => {
      for await (const peer of server.listener) {
        seen.push(peer.id);
        await hold.promise; // It fails while the loop is busy.
      }
    },
    Error,
    "Bad file descriptor",
  );
  await server.dial();
  server.network.failAccept(systemError(new Error("Bad file descriptor"), "EBADF"));
  await server.clock.advance(1000);
  hold.resolve();
  await loop;
  assertEquals(seen, [1]);
});

import { assertEquals, assertThrows } from "@std/assert";
import { startRelay } from "../../../relay/mod.ts";
import { startDatagramEcho, startEcho } from "../../../services/mod.ts";
import { connect, listen } from "../../../socket/mod.ts";
import { MemoryNetwork } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

for (
  const [name, start] of Object.entries({
    listen: (options: { signal: AbortSignal; network: MemoryNetwork }) => listen({ ...options, port: 8000 }),
    startRelay: (options: { signal: AbortSignal; network: MemoryNetwork }) =>
      startRelay({ ...options, port: 8000 }),
    startEcho: (options: { signal: AbortSignal; network: MemoryNetwork }) =>
      startEcho({ ...options, port: 8000 }),
  })
) {
  Deno.test(`${name}() closes the server when its signal aborts`, pure, async () => {
    const network = new MemoryNetwork();
    const stop = new AbortController();
    const server = start({ signal: stop.signal, network });
    await using client = await connect({ network, port: 8000 });
    stop.abort();
    if ("serve" in server) await server.serve(() => {});
    await server.finished;
    await Array.fromAsync(client);
    await client.close();
    assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
  });

  Deno.test(`${name}() throws the reason of a signal that has aborted, and binds nothing`, pure, () => {
    const network = new MemoryNetwork();
    assertThrows(
      () => start({ signal: AbortSignal.abort(new RangeError("too late")), network }),
      RangeError,
      "too late",
    );
    assertEquals(network.stats().listeners, 0);
  });
}

Deno.test("startDatagramEcho() closes when its signal aborts", async () => {
  const stop = new AbortController();
  const server = startDatagramEcho({ signal: stop.signal });
  stop.abort();
  await server.finished;
  assertThrows(() => startDatagramEcho({ signal: stop.signal }), DOMException);
});

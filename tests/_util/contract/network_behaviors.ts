/** Behaviors of a network that binds, accepts, and connects. */
import {
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ownAddress } from "../network/own_address.ts";
import { readText, text } from "../network/transport_pair.ts";
import type { Behavior } from "./contract.ts";

const { AddrInUse, BadResource, BrokenPipe, Busy, ConnectionRefused, ConnectionReset } = Deno.errors;

export const networkBehaviors: Readonly<Record<string, Behavior>> = {
  "TransportListener.close() resets who was not accepted: once to the reader, then null": async (network) => {
    const listener = network.listen({ port: 0 });
    const near = await network.connect({ port: listener.address.port });
    const reading = readText(near);
    listener.close();
    const error = await assertRejects(() => reading, ConnectionReset);
    assertEquals(Reflect.get(error, "code"), "ECONNRESET");
    assertEquals(await readText(near), null);
    await assertRejects(() => near.write(text("x")), BrokenPipe);
    await near.closeWrite();
    near.close();
  },

  "TransportListener.accept() rejects when the listener is closed, before or after": async (network) => {
    const listener = network.listen({ port: 0 });
    const accepting = assertRejects(() => listener.accept(), BadResource);
    await assertRejects(() => listener.accept(), Busy);
    listener.close();
    await accepting;
    await assertRejects(() => listener.accept(), BadResource);
  },

  "TransportListener.close() is safe to repeat": (network) => {
    const listener = network.listen({ port: 0 });
    listener.close();
    listener.close();
    return Promise.resolve();
  },

  "TransportListener.accept() takes peers that came before it, in their order": async (network) => {
    const listener = network.listen({ port: 0 });
    const { port } = listener.address;
    const first = await network.connect({ port });
    const second = await network.connect({ port });
    await first.write(text("early"));
    const one = await listener.accept();
    const two = await listener.accept();
    assertEquals(one.remote.port, first.local.port);
    assertEquals(two.remote.port, second.local.port);
    assertNotEquals(first.local.port, second.local.port);
    assertEquals(await readText(one), "early");
    for (const each of [first, second, one, two, listener]) each.close();
  },

  "Network.listen() picks a port for 0, and refuses one that is taken": (network) => {
    const hostname = ownAddress();
    const listener = network.listen({ hostname, port: 0 });
    const { port } = listener.address;
    assertGreater(port, 0);
    const error = assertThrows(() => network.listen({ hostname, port }), AddrInUse);
    assertEquals(Reflect.get(error, "code"), "EADDRINUSE");
    const other = network.listen({ hostname, port: 0 });
    assertNotEquals(other.address.port, port);
    listener.close();
    const again = network.listen({ hostname, port });
    assertEquals(again.address, { ...again.address, hostname, port });
    again.close();
    other.close();
    return Promise.resolve();
  },

  "Network.listen() binds 127.0.0.1 by default": (network) => {
    const listener = network.listen({ port: 0 });
    assertEquals(listener.address.hostname, "127.0.0.1");
    listener.close();
    return Promise.resolve();
  },

  "Network.listen() shares a port among those that ask for it": (network) => {
    const one = network.listen({ port: 0, reusePort: true });
    const two = network.listen({ port: one.address.port, reusePort: true });
    assertEquals(two.address.port, one.address.port);
    assertThrows(() => network.listen({ port: one.address.port }), AddrInUse);
    one.close();
    two.close();
    return Promise.resolve();
  },

  "Network.listen() throws for an invalid port": (network) => {
    assertThrows(() => network.listen({ port: 65_536 }), RangeError);
    return Promise.resolve();
  },

  "Network.connect() is refused where nobody listens": async (network) => {
    const hostname = ownAddress();
    const listener = network.listen({ hostname, port: 0 });
    listener.close();
    const error = await assertRejects(
      () => network.connect({ hostname, port: listener.address.port }),
      ConnectionRefused,
    );
    assertEquals(Reflect.get(error, "code"), "ECONNREFUSED");
  },

  "Network.connect() reaches a listener on every address": async (network) => {
    const listener = network.listen({ hostname: "0.0.0.0", port: 0 });
    const [near, far] = await Promise.all([
      network.connect({ hostname: "127.0.0.1", port: listener.address.port }),
      listener.accept(),
    ]);
    assertEquals(far.local.hostname, "127.0.0.1");
    for (const each of [near, far, listener]) each.close();
  },

  "Network.connect() resolves localhost, and rejects for an unknown name": async (network) => {
    const listener = network.listen({ port: 0 });
    const [near, far] = await Promise.all([
      network.connect({ hostname: "localhost", port: listener.address.port }),
      listener.accept(),
    ]);
    assertEquals(near.remote.hostname, "127.0.0.1");
    await assertRejects(
      () => network.connect({ hostname: "nobody.invalid", port: 1 }),
      Error,
      "failed to lookup",
    );
    for (const each of [near, far, listener]) each.close();
  },

  "Network.connect() with a signal aborted before rejects with its reason": async (network) => {
    const reason = new TypeError("enough");
    const failed = await assertRejects(() => network.connect({ port: 1, signal: AbortSignal.abort(reason) }));
    assertStrictEquals(failed, reason);
  },
};

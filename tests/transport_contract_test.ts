/** What everything above sockets relies on, held against the system's sockets and those in memory alike. */
import { assert, assertEquals, assertGreater, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import { assertStrictEquals, assertThrows } from "@std/assert";
import { connect as connectNode } from "node:net";
import { faultyNetwork } from "../socket/faulty_network.ts";
import { MemoryNetwork } from "../socket/memory_network.ts";
import type { Network, Transport } from "../socket/network.ts";
import { systemNetwork } from "../socket/system.ts";
import { VirtualClock } from "../socket/virtual_clock.ts";
import { TlsNetwork, type TlsOptions } from "../socket/tls.ts";
import { TlsError } from "../socket/errors.ts";
import { Authority } from "./helpers/certificates.ts";
import { connectByNode } from "./helpers/node_transport.ts";
import { readText, readToEnd, text, transportPair, writeUntilError } from "./helpers/transport_pair.ts";

const {
  AddrInUse,
  BadResource,
  BrokenPipe,
  Busy,
  ConnectionRefused,
  ConnectionReset,
  Interrupted,
} = Deno.errors;

/** One behaviour, as a function of a network; it is run on each. */
type Behaviour = (network: Network) => Promise<void>;

const behaviours: Record<string, Behaviour> = {
  "Transport.read() gives what the peer wrote, in order": async (network) => {
    using pair = await transportPair(network);
    assertEquals(await pair.near.write(text("hello ")), 6);
    assertEquals(await pair.near.write(text("world")), 5);
    await pair.near.closeWrite();
    let all = "";
    for (let part; (part = await readText(pair.far)) !== null;) all += part;
    assertEquals(all, "hello world");
  },

  "Transport.read() gives no more than fits, and keeps the rest": async (network) => {
    using pair = await transportPair(network);
    await pair.near.write(text("abcde"));
    assertEquals(await readText(pair.far, { size: 2 }), "ab");
    assertEquals(await readText(pair.far, { size: 2 }), "cd");
    assertEquals(await readText(pair.far, { size: 2 }), "e");
  },

  "Transport.read() waits for the peer": async (network) => {
    using pair = await transportPair(network);
    const reading = readText(pair.far);
    await pair.near.write(text("late"));
    assertEquals(await reading, "late");
  },

  "Transport.read() gives null at FIN, again and again": async (network) => {
    using pair = await transportPair(network);
    const reading = readText(pair.far);
    await pair.near.closeWrite();
    assertEquals(await reading, null);
    assertEquals(await readText(pair.far), null);
    assertEquals(await readText(pair.far), null);
  },

  "Transport.write() copies: the buffer may be used again at once": async (network) => {
    using pair = await transportPair(network);
    const bytes = text("first");
    assertEquals(await pair.near.write(bytes), 5);
    bytes.fill(0);
    assertEquals(await readText(pair.far), "first");
  },

  "Transport.local and remote mirror each other": async (network) => {
    using pair = await transportPair(network);
    assertEquals(pair.near.remote.port, pair.listener.address.port);
    assertEquals(pair.far.remote.port, pair.near.local.port);
    assertEquals(pair.far.local.port, pair.near.remote.port);
    assertEquals(pair.far.remote.hostname, "127.0.0.1");
    assertEquals(pair.near.remote.hostname, "127.0.0.1");
  },

  "Transport.write() is partial when the peer does not read, then waits for it": async (network) => {
    using pair = await transportPair(network);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const first = await pair.near.write(bytes);
    assertGreater(first, 0);
    assertLess(first, bytes.length);
    // Writes until a write waits; reading lets it go on, and nothing is lost.
    let sent = first;
    const writing = (async () => {
      while (sent < bytes.length) sent += await pair.near.write(bytes.subarray(sent));
      await pair.near.closeWrite();
    })();
    assertEquals(await readToEnd(pair.far), bytes.length);
    await writing;
  },

  "Transport.closeWrite() leaves the other way open": async (network) => {
    using pair = await transportPair(network);
    await pair.near.closeWrite();
    assertEquals(await readText(pair.far), null);
    await pair.far.write(text("still here"));
    assertEquals(await readText(pair.near), "still here");
    await pair.far.closeWrite();
    assertEquals(await readText(pair.near), null);
  },

  "Transport.closeWrite() is safe to repeat, and a write after it is a broken pipe": async (network) => {
    using pair = await transportPair(network);
    await pair.near.closeWrite();
    await pair.near.closeWrite();
    await assertRejects(() => pair.near.write(text("x")), BrokenPipe);
    await pair.far.write(text("and on"));
    assertEquals(await readText(pair.near), "and on");
  },

  "Transport.close() rejects a pending read and a pending write": async (network) => {
    using pair = await transportPair(network);
    const reading = assertRejects(() => readText(pair.near), Interrupted);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const writing = assertRejects(async () => {
      for (;;) await pair.near.write(bytes);
    }, Interrupted);
    // Filled: the peer has got something, and a write larger than any buffer is still under way.
    assert(await readText(pair.far) !== null);
    pair.near.close();
    await reading;
    await writing;
  },

  "Transport.close() is safe to repeat, and nothing works after it": async (network) => {
    using pair = await transportPair(network);
    pair.near.close();
    pair.near.close();
    await assertRejects(() => readText(pair.near), BadResource);
    await assertRejects(() => pair.near.write(text("x")), BadResource);
    await assertRejects(() => pair.near.closeWrite(), BadResource);
  },

  "Transport.close() sends what was written, and then FIN": async (network) => {
    using pair = await transportPair(network);
    await pair.near.write(text("bye"));
    pair.near.close();
    assertEquals(await readText(pair.far), "bye");
    assertEquals(await readText(pair.far), null);
  },

  "Transport.write() to a closed peer works once, then the pipe is broken": async (network) => {
    using pair = await transportPair(network);
    pair.near.close();
    assertEquals(await readText(pair.far), null);
    assertEquals(await pair.far.write(text("x")), 1);
    const error = await writeUntilError(pair.far);
    assert(error instanceof BrokenPipe, String(error));
    assertEquals(Reflect.get(error, "code"), "EPIPE");
    assertEquals(await readText(pair.far), null);
    await pair.far.closeWrite();
  },

  "Transport.close() with unread input is FIN to the reader and a broken pipe to the writer": async (
    network,
  ) => {
    using pair = await transportPair(network);
    await pair.far.write(text("unread"));
    const { near } = pair;
    assertEquals(await readText(near, { size: 1 }), "u");
    near.close();
    assertEquals(await readText(pair.far), null);
    assert(await writeUntilError(pair.far) instanceof BrokenPipe);
    assertEquals(await readText(pair.far), null);
  },

  "Transport.close() of a peer that owes reading fails the write that waits": async (network) => {
    using pair = await transportPair(network);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const writing = assertRejects(async () => {
      for (;;) await pair.near.write(bytes);
    }, BrokenPipe);
    assert(await readText(pair.far) !== null);
    pair.far.close();
    await writing;
    assertEquals(await readText(pair.near), null);
  },

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
    const listener = network.listen({ port: 0 });
    const { port } = listener.address;
    assertGreater(port, 0);
    const error = assertThrows(() => network.listen({ port }), AddrInUse);
    assertEquals(Reflect.get(error, "code"), "EADDRINUSE");
    const other = network.listen({ port: 0 });
    assertNotEquals(other.address.port, port);
    listener.close();
    const again = network.listen({ port });
    assertEquals(again.address, { ...again.address, hostname: "127.0.0.1", port });
    again.close();
    other.close();
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

  "Network.listen() refuses what is no port": (network) => {
    assertThrows(() => network.listen({ port: 65_536 }), RangeError);
    return Promise.resolve();
  },

  "Network.connect() is refused where nobody listens": async (network) => {
    const listener = network.listen({ port: 0 });
    listener.close();
    const error = await assertRejects(
      () => network.connect({ port: listener.address.port }),
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

  "Network.connect() knows localhost, and no name that nobody has": async (network) => {
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

/** The same for a peer that resets: what its other end sees. */
type ResetBehaviour = (far: Transport, reset: () => Promise<void>) => Promise<void>;

const resetBehaviours: Record<string, ResetBehaviour> = {
  "Transport.read() rejects once when the peer resets, then gives null": async (far, reset) => {
    const reading = readText(far);
    await reset();
    const error = await assertRejects(() => reading, ConnectionReset);
    assertEquals(Reflect.get(error, "code"), "ECONNRESET");
    assertEquals(await readText(far), null);
    await assertRejects(() => far.write(text("x")), BrokenPipe);
    await far.closeWrite();
  },

  "Transport.write() rejects with the reset where it is first to meet it, then with a broken pipe": async (
    far,
    reset,
  ) => {
    await reset();
    assert(await writeUntilError(far) instanceof ConnectionReset);
    await assertRejects(() => far.write(text("x")), BrokenPipe);
    assertEquals(await readText(far), null);
  },

  "Transport.closeWrite() does not hide a reset": async (far, reset) => {
    await reset();
    await far.closeWrite();
    await assertRejects(() => readText(far), ConnectionReset);
    assertEquals(await readText(far), null);
  },

  "Transport.read() and write() both waiting: the reset to the reader, a broken pipe to the writer": async (
    far,
    reset,
  ) => {
    const reading = assertRejects(() => readText(far), ConnectionReset);
    const bytes = new Uint8Array(16 * 1024 * 1024);
    await far.write(bytes);
    const writing = assertRejects(async () => {
      for (;;) await far.write(bytes);
    }, BrokenPipe);
    await reset();
    await reading;
    await writing;
  },
};

/** A connection whose one end is node's, which can reset: Deno's own sockets cannot. */
async function onSystem(behaviour: ResetBehaviour): Promise<void> {
  const listener = systemNetwork.listen({ port: 0 });
  const near = connectNode(listener.address.port, "127.0.0.1").pause();
  const closed = new Promise<void>((resolve) => near.once("close", () => resolve()));
  await new Promise<void>((resolve) => near.once("connect", resolve));
  const far = await listener.accept();
  try {
    await behaviour(far, () => {
      near.resetAndDestroy();
      return closed;
    });
  } finally {
    near.destroy();
    await closed;
    far.close();
    listener.close();
  }
}

async function betweenOwnEnds(behaviour: ResetBehaviour, network: Network): Promise<void> {
  using pair = await transportPair(network);
  await behaviour(pair.far, () => Promise.resolve(pair.near.reset?.()));
}

interface Ground {
  readonly permissions: Deno.PermissionOptions;
  run(behaviour: Behaviour): Promise<void>;
  runReset(behaviour: ResetBehaviour): Promise<void>;
  /** What it is held to instead of a behaviour that cannot be. */
  instead?(behaviour: string): { readonly name: string; run(): Promise<void> } | undefined;
}

const system: Ground = {
  permissions: { net: true },
  run: (behaviour) => behaviour(systemNetwork),
  runReset: onSystem,
};

const memory: Ground = {
  permissions: "none",
  run: (behaviour) => behaviour(new MemoryNetwork()),
  runReset: (behaviour) => betweenOwnEnds(behaviour, new MemoryNetwork()),
};

async function farAway(body: (network: MemoryNetwork) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 20, bandwidth: 1000, capacity: 1000 });
  await clock.runUntil(body(network));
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
}

const memoryFarAway: Ground = {
  permissions: "none",
  run: farAway,
  runReset: (behaviour) => farAway((network) => betweenOwnEnds(behaviour, network)),
};

/** No fault asked for: the wrapper must not show. */
const memoryBehindFaults: Ground = {
  permissions: "none",
  run: (behaviour) => behaviour(faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
  runReset: (behaviour) =>
    betweenOwnEnds(behaviour, faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
};

let authority: Authority;
let tlsOptions: TlsOptions;

Deno.test.beforeAll(async () => {
  authority = await Authority.create();
  const identity = await authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"]);
  tlsOptions = { server: { identity }, client: { ca: authority.certificate } };
});

Deno.test.afterAll(async () => {
  await authority[Symbol.asyncDispose]();
});

/** TLS on a network, which tells how many of its connections stand there. */
interface TlsOn {
  readonly network: Network;
  stand(count: number): Promise<void>;
}

function tlsOn(below: Network): TlsOn {
  let standing = 0;
  let changed = () => {};
  const counted: Network = {
    listen: (options) => below.listen(options),
    async connect(options) {
      const transport = await below.connect(options);
      standing++;
      changed();
      return transport;
    },
  };
  return {
    network: new TlsNetwork(counted, tlsOptions),
    async stand(count) {
      while (standing < count) await new Promise<void>((resolve) => changed = resolve);
    },
  };
}

/**
 * What cannot be the same with TLS by nature, and what TLS is held to instead. Both for one reason: who is not accepted
 * has nobody to shake hands with, so its `connect` does not stand, though the connection below does.
 */
const insteadWithTls: Readonly<Record<string, { readonly name: string; body(tls: TlsOn): Promise<void> }>> = {
  "TransportListener.close() resets who was not accepted: once to the reader, then null": {
    name: "TransportListener.close() fails the handshake of who was not accepted, because of the reset",
    body: async ({ network, stand }) => {
      const listener = network.listen({ port: 0 });
      const connecting = assertRejects(() => network.connect({ port: listener.address.port }), TlsError);
      await stand(1);
      listener.close();
      const { code, cause } = await connecting;
      assertEquals(code, "closed");
      assert(cause instanceof ConnectionReset, String(cause));
    },
  },
  "TransportListener.accept() takes peers that came before it, in their order": {
    name: "TransportListener.accept() takes peers that came before it, in their order, and shakes hands then",
    body: async ({ network, stand }) => {
      const listener = network.listen({ port: 0 });
      const { port } = listener.address;
      const connecting = [network.connect({ port })];
      await stand(1);
      connecting.push(network.connect({ port }));
      await stand(2);
      const one = await listener.accept();
      const two = await listener.accept();
      const [first, second] = await Promise.all(connecting);
      assertEquals(one.remote.port, first!.local.port);
      assertEquals(two.remote.port, second!.local.port);
      for (const each of [first!, second!, one, two, listener]) each.close();
    },
  },
};

function tlsOver(below: () => Network, options: Pick<Ground, "permissions" | "runReset">): Ground {
  return {
    ...options,
    run: (behaviour) => behaviour(tlsOn(below()).network),
    instead: (behaviour) => {
      const other = insteadWithTls[behaviour];
      return other && { name: other.name, run: () => other.body(tlsOn(below())) };
    },
  };
}

const tls = tlsOver(() => systemNetwork, {
  permissions: { net: true },
  runReset: (behaviour) =>
    betweenOwnEnds(behaviour, tlsOn({ ...systemNetwork, connect: connectByNode }).network),
});

const tlsInMemory = tlsOver(() => new MemoryNetwork(), {
  permissions: "none",
  runReset: (behaviour) => betweenOwnEnds(behaviour, tlsOn(new MemoryNetwork()).network),
});

const grounds = { system, memory, memoryFarAway, memoryBehindFaults, tls, tlsInMemory };

for (const [name, ground] of Object.entries(grounds)) {
  const { permissions } = ground;
  for (const [behaviour, body] of Object.entries(behaviours)) {
    const test = ground.instead?.(behaviour) ?? { name: behaviour, run: () => ground.run(body) };
    Deno.test({ name: `${test.name} (${name})`, permissions, fn: () => test.run() });
  }
  for (const [behaviour, body] of Object.entries(resetBehaviours)) {
    Deno.test({ name: `${behaviour} (${name})`, permissions, fn: () => ground.runReset(body) });
  }
}

Deno.test("TLS differs from the contract only where the contract has something to differ from", () => {
  assertEquals(Object.keys(insteadWithTls).filter((name) => !(name in behaviours)), []);
});

/** Errors of handlers and farewells: each reaches `onError` once. */
import { assertEquals, assertRejects, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { Gateway } from "../../services/proxy/gateway.ts";
import { Tunnel } from "../../services/proxy/tunnel.ts";
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { type Passed, startEcho, startProxy } from "../../services/mod.ts";
import { type CloseReason, connect, ConnectionClosedError, type Handler, listen } from "../../socket/mod.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";
const mistake = new RangeError("broken");

/** Errors reported about one connection, and the result of the listener. */
interface Told {
  readonly ends: readonly CloseReason[];
  readonly late: readonly Error[];
  readonly failure: unknown;
}

/** Has a handler serve one peer, and closes the server. */
async function serveOne(
  handler: Handler,
  onError?: (error: Error) => void,
  farewell?: () => string,
): Promise<Told> {
  const world = new Simulation();
  const ends: CloseReason[] = [];
  const late: Error[] = [];
  const server = listen({
    ...world.seam,
    ...(farewell && { farewell }),
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
    ...(onError && {
      onError: (error, connection) => {
        assertEquals(connection?.remote.hostname, "127.0.0.1");
        late.push(error);
        onError(error);
      },
    }),
  });
  const served = server.serve(handler).then(() => undefined, (error) => error);
  const peer = await world.peer(server.port);
  await world.clock.advance(0);
  const closed = server.close().then(() => undefined, (error) => error);
  const failure = await world.clock.runUntil(closed);
  assertStrictEquals(await served, failure);
  peer.connection.abort();
  return { ends, late, failure };
}

/** Fails with `error` when it has closed its connection. */
function failLate(error: unknown): Handler {
  return async (peer) => {
    peer.abort({ type: "local", why: "enough" });
    await peer.closed;
    throw error;
  };
}

const ENOUGH: CloseReason = { type: "local", why: "enough" };

Deno.test(
  "Listener.onError receives the error of a handler that throws after its connection has ended",
  {
    permissions,
  },
  async () => {
    const told = await serveOne(failLate(mistake), () => {});
    assertEquals(told, { ends: [ENOUGH], late: [mistake], failure: undefined });
  },
);

/** Replaces `console.error` until it is disposed of. */
function collectPrinted(): Disposable & { readonly printed: readonly unknown[] } {
  const printed: unknown[] = [];
  const { console } = globalThis;
  globalThis.console = { ...console, error: (...values) => void printed.push(...values) };
  return { printed, [Symbol.dispose]: () => void (globalThis.console = console) };
}

Deno.test(
  "Listener prints an error of a handler at once, and finished rejects with it, when there is no onError",
  {
    permissions,
  },
  async () => {
    using output = collectPrinted();
    const { failure } = await serveOne(failLate(mistake));
    assertStrictEquals(failure, mistake);
    assertEquals(output.printed, [mistake]);
    const world = new Simulation();
    const server = listen(world.seam);
    const served = server.serve(() => {
      throw mistake;
    });
    const peer = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(output.printed, [mistake, mistake]); // The server is still open.
    await world.clock.runUntil(server.close().catch(() => {}));
    await assertRejects(() => served, RangeError, "broken");
    peer.connection.abort();
  },
);

Deno.test("Listener prints nothing when there is an onError", { permissions }, async () => {
  using output = collectPrinted();
  await serveOne(failLate(mistake), () => {});
  assertEquals(output.printed, []);
});

Deno.test("Listener.finished rejects with the error of onError", { permissions }, async () => {
  const worse = new TypeError("worse");
  const { failure } = await serveOne(failLate(mistake), () => {
    throw worse;
  });
  assertStrictEquals(failure, worse);
});

Deno.test("Listener.onError receives the close error of another connection, but not of its own", {
  permissions,
}, async () => {
  const flush: Handler = async (peer) => {
    peer.send("never read");
    peer.abort(ENOUGH);
    await peer.flushed();
  };
  assertEquals(await serveOne(flush), { ends: [ENOUGH], late: [], failure: undefined });
  const other = new ConnectionClosedError(ENOUGH, 1);
  const { late } = await serveOne(failLate(new Error("wrapped", { cause: other })), () => {});
  assertStrictEquals(late[0]?.cause, other);
  assertStrictEquals((await serveOne(failLate(other), () => {})).late[0], other);
});

const FAILED: CloseReason = { type: "handler-failed", error: mistake };

/** Handlers that fail while their connection is open. */
const FAILING: Record<string, Handler> = {
  "throws synchronously": () => {
    throw mistake;
  },
  "rejects": () => Promise.reject(mistake),
  "throws while its connection is closing": (peer) => {
    void peer.close();
    throw mistake;
  },
  "aborts its connection for the error": (peer) => peer.abort(FAILED),
  "aborts its connection for the error before it throws it": (peer) => {
    peer.abort(FAILED);
    throw mistake;
  },
};

for (const [when, handler] of Object.entries(FAILING)) {
  Deno.test(`Listener.onError receives the error once when a handler ${when}`, { permissions }, async () => {
    assertEquals(await serveOne(handler, () => {}), { ends: [FAILED], late: [mistake], failure: undefined });
    assertStrictEquals((await serveOne(handler)).failure, mistake);
  });
}

Deno.test("Listener.onError receives the error of a farewell that throws", { permissions }, async () => {
  const farewell = () => {
    throw mistake;
  };
  const dismiss: Handler = async (peer) => void await peer.close(ENOUGH);
  const told = await serveOne(dismiss, () => {}, farewell);
  assertEquals(told, { ends: [FAILED], late: [mistake], failure: undefined });
  assertStrictEquals((await serveOne(dismiss, undefined, farewell)).failure, mistake);
});

Deno.test("Listener.onError does not receive the framing errors of peers", { permissions }, async () => {
  const world = new Simulation();
  const errors: Error[] = [];
  const ends: CloseReason[] = [];
  const server = listen({
    ...world.seam,
    limits: { maxLine: 10 },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
    onError: (error) => void errors.push(error),
  });
  const served = server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const peer = await world.peer(server.port);
  peer.say("x".repeat(11));
  await world.clock.runUntil(server.until((stats) => stats.closed.framing === 1));
  await world.clock.runUntil(Promise.all([server.close(), served, peer.connection.close()]));
  assertEquals([ends.map(({ type }) => type), errors], [["framing"], []]);
});

/** A proxy that has passed one line on, and whose `onEvent` throws. */
async function passOne(onError?: (error: Error) => void): Promise<unknown> {
  const world = new Simulation();
  const { clock, network } = world;
  const echo = startEcho({ clock, network });
  const passed: Passed[] = [];
  const proxy = startProxy({
    clock,
    network,
    to: { hostname: "127.0.0.1", port: echo.port },
    ...(onError && { onError }),
    onEvent: on("passed", (event) => {
      passed.push(event.passed);
      throw mistake;
    }),
  });
  const ended = proxy.finished.then(() => undefined, (error) => error);
  const peer = await world.peer(proxy.port);
  peer.say("hello");
  assertEquals(await peer.hear(), "hello");
  await clock.runUntil(peer.connection.close());
  await clock.runUntil(() => passed.length === 1);
  await clock.runUntil(Promise.allSettled([proxy.close(), echo.close()]));
  return await ended;
}

Deno.test("startProxy() passes the error of onEvent to onError", { permissions }, async () => {
  const late: Error[] = [];
  assertEquals(await passOne((error) => late.push(error)), undefined);
  assertEquals(late, [mistake]);
});

Deno.test("startProxy() rejects with the error of onEvent when there is no onError", {
  permissions,
}, async () => {
  assertStrictEquals(await passOne(), mistake);
});

Deno.test(
  "Gateway.open() reports an error when its client has gone",
  { permissions },
  async () => {
    const world = new Simulation();
    const { clock } = world;
    const late: Error[] = [];
    const listener = listen({
      ...world.seam,
      codec: rawCodec,
      onError: (error) => void late.push(error),
    });
    const served = listener.serveWith((client) => {
      const gateway = new Gateway({ clock }, {
        open() {
          client.abort();
          throw mistake;
        },
        passed() {},
      });
      gateway.open(client, listener);
    });
    const peer = await world.peer(listener.port);
    await clock.runUntil(listener.until(({ accepted }) => accepted === 1));
    const closed = listener.close();
    await clock.runUntil(Promise.all([closed, served]));
    assertEquals(late, [mistake]);
    peer.connection.abort();
  },
);

Deno.test("Tunnel fails with an error that is not the end of a connection", { permissions }, async () => {
  const world = new Simulation();
  const { clock } = world;
  const server = listen({ ...world.seam, codec: rawCodec });
  const dial = () => connect({ ...world.seam, port: server.port, codec: rawCodec });
  const [one, other] = [await clock.runUntil(dial()), await clock.runUntil(dial())];
  const errors: string[] = [];
  const owner = {
    clientGone: fail,
    tunnelEnded: fail,
    tunnelFailed: (error: unknown) => void errors.push(String(error)),
  };
  const reading = one.batches().next(); // which the tunnel wants to do
  assertThrows(() => new Tunnel(one, owner), TypeError, "twice");
  new Tunnel(other, owner).connect(one, { clock, idleTimeout: 0 });
  assertEquals(errors, ["TypeError: Cannot read a connection twice at once"]);
  for (const connection of [one, other]) connection.abort();
  await reading;
  await clock.runUntil(server.close());
});

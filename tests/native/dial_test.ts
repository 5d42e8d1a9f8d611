import { assert, assertEquals, assertThrows } from "@std/assert";
import { AF_UNIX } from "../../native/abi.ts";
import { dial, type DialContext } from "../../native/dial.ts";
import { errnoOf } from "../../native/errno.ts";
import type { Transport } from "../../socket/network.ts";
import { inBusyTurn } from "../_util/native/busy_turn.ts";
import { foreign, network as maybeNetwork } from "../_util/native/native.ts";
import { readText, text } from "../_util/network/transport_pair.ts";
import { TempDir } from "../_util/temp_dir.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;

/** Waits for the one call of a receiver, and counts its calls. */
class Outcome {
  calls = 0;
  readonly #result = Promise.withResolvers<Transport | Error>();

  get result(): Promise<Transport | Error> {
    return this.#result.promise;
  }

  connected(transport: Transport): void {
    this.calls++;
    this.#result.resolve(transport);
  }

  connectFailed(cause: unknown): void {
    this.calls++;
    this.#result.resolve(cause as Error);
  }
}

Deno.test("NativeNetwork.dial() calls the receiver with the connection", foreign, async () => {
  const listener = network.listen({ port: 0 });
  const outcome = new Outcome();
  const pending = network.dial!({ port: listener.address.port }, outcome);
  const near = await outcome.result;
  assert(!(near instanceof Error));
  assertEquals(near.remote, listener.address);
  const far = await listener.accept();
  assertEquals(far.remote, near.local);
  pending.cancel(); // Too late: it does nothing.
  assertEquals(await near.write(new Uint8Array([1])), 1);
  for (const each of [near, far, listener]) each.close();
});

Deno.test("NativeNetwork.dial() reports what refuses an IP address, a name, and a Unix socket", {
  ...foreign,
  permissions: { ffi: true, read: true, write: true },
}, async () => {
  await using folder = new TempDir();
  const port = 1; // Nothing listens there, and the system gives it to no client.
  const outcomes = ["127.0.0.1", "localhost", `unix:${folder.path}/none`].map((hostname) => {
    const outcome = new Outcome();
    network.dial!({ hostname, port }, outcome);
    return outcome;
  });
  const results = await Promise.all(outcomes.map(({ result }) => result));
  assertEquals(results.map((result) => result.constructor), [
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionRefused,
    Deno.errors.NotFound,
  ]);
});

Deno.test("NativeNetwork.dial() leaves no descriptor, and calls nobody, when it is canceled", {
  ...foreign,
  permissions: { ffi: true, read: true, write: true },
}, async () => {
  await using folder = new TempDir();
  const { open, waiting } = network.stats();
  // A Unix listener whose queue is full, and an address that does not answer at once.
  const hostname = `unix:${folder.path}/socket`;
  const full = network.listen({ hostname, port: 0, backlog: 1 });
  const others = Array.from({ length: 4 }, () => new Outcome());
  const dialing = others.map((outcome) => network.dial!({ hostname, port: 0 }, outcome));
  const listener = network.listen({ port: 0 });
  const outcome = new Outcome();
  network.dial!({ port: listener.address.port }, outcome).cancel();
  for (const each of dialing) each.cancel();
  // The queue holds those that had connected before; they are closed with the listener.
  for (const each of others) {
    if (each.calls === 0) continue;
    const near = await each.result;
    assert(!(near instanceof Error));
    near.close();
  }
  assert(others.some(({ calls }) => calls === 0));
  for (const each of [full, listener]) each.close();
  const calls = others.map((each) => each.calls);
  const after = new Outcome();
  const last = network.listen({ port: 0 });
  network.dial!({ port: last.address.port }, after);
  const near = await after.result;
  assert(!(near instanceof Error));
  for (const each of [near, last]) each.close();
  assertEquals([outcome.calls, others.map((each) => each.calls)], [0, calls]);
  assertEquals([network.stats().open, network.stats().waiting], [open, waiting]);
});

Deno.test("dial() can be canceled however often the queue of a Unix listener was full", {
  permissions: "none",
}, () => {
  let retry: (() => void) | undefined;
  let canceled = 0;
  const clock = {
    after(_ms: number, run: () => void) {
      retry = run;
      return { cancel: () => void canceled++ };
    },
  };
  const libc = { socket: () => 7, connect: () => -errnoOf("EAGAIN"), close: () => 0 };
  const context = {
    loop: { libc, clock },
    configurator: { setBuffers: () => {}, setTcpOptions: () => {} },
  } as unknown as DialContext;
  const outcome = new Outcome();
  const address = { family: AF_UNIX, bytes: new Uint8Array(3) };
  const target = { address, remote: { hostname: "unix:/full", port: 0 }, loopback: false };
  const pending = dial(target, context, outcome);
  for (let tries = 0; tries < 50_000; tries++) retry!();
  pending.cancel();
  assertEquals([outcome.calls, canceled], [0, 1]);
});

Deno.test("NativeNetwork.dial() calls the receiver once, even if connected() throws", {
  ...foreign,
  permissions: { ffi: true, read: true, write: true },
}, async () => {
  await using folder = new TempDir();
  const hostname = `unix:${folder.path}/socket`;
  const listener = network.listen({ hostname, port: 0 });
  let near: Transport | undefined;
  const failed: unknown[] = [];
  const mistake = new Error("mistake");
  assertThrows(
    () =>
      network.dial!({ hostname, port: 0 }, {
        connected(transport) {
          near = transport;
          throw mistake;
        },
        connectFailed: (cause) => void failed.push(cause),
      }),
    Error,
    "mistake",
  );
  assertEquals(failed, []);
  const far = await listener.accept();
  for (const each of [near!, far, listener]) each.close();
});

for (const when of ["in", "after"] as const) {
  Deno.test(
    `NativeNetwork.dial() ${when} a busy turn connects to this machine at once`,
    foreign,
    async () => {
      const listener = network.listen({ port: 0 });
      let near: Transport | undefined;
      const dialed = () => {
        network.dial!({ port: listener.address.port }, {
          connected: (transport) => near = transport,
          connectFailed() {},
        });
        assertEquals(near?.remote, listener.address);
      };
      await inBusyTurn(network, when === "in" ? dialed : () => {});
      if (when === "after") dialed();
      const far = await listener.accept();
      assertEquals(far.remote, near!.local);
      far.writeNow!(text("first"), 5);
      assertEquals(await readText(near!), "first");
      for (const each of [near!, far, listener]) each.close();
    },
  );
}

Deno.test("NativeNetwork.dial() waits for an event while little happens", foreign, async () => {
  await inBusyTurn(network, () => {});
  await until(() => !network.stats().running);
  const listener = network.listen({ port: 0 });
  const outcome = new Outcome();
  network.dial!({ port: listener.address.port }, outcome);
  assertEquals(outcome.calls, 0);
  const near = await outcome.result;
  assert(!(near instanceof Error));
  for (const each of [near, await listener.accept(), listener]) each.close();
});

Deno.test(
  "NativeNetwork.dial() in a busy turn reports a port where nothing listens, later",
  foreign,
  async () => {
    let failed: unknown;
    await inBusyTurn(network, () => {
      network.dial!({ port: 1 }, { connected() {}, connectFailed: (cause) => failed = cause });
    });
    await until(() => failed !== undefined);
    assertEquals((failed as Error).constructor, Deno.errors.ConnectionRefused);
  },
);

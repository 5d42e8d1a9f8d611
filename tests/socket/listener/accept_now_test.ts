/** Peers that are there already, and errors of accepting them. */
import { assertEquals, assertRejects } from "@std/assert";
import { systemError } from "../../../internal/os_errors.ts";
import { listen } from "../../../socket/listen.ts";
import type { Network, Transport } from "../../../socket/network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { pure } from "../../_util/permissions.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 1 };

/** A network whose listener accepts these in order, and is full of them once one was waited for. */
function networkOf(results: (() => Transport)[]) {
  const calls: string[] = [];
  let begun = false;
  const network: Network = {
    listen: () => ({
      address: ADDRESS,
      accept() {
        calls.push("accept");
        begun = true;
        const result = results.shift();
        return result === undefined ? new Promise<never>(() => {}) : Promise.resolve(result());
      },
      acceptNow() {
        if (!begun) return undefined;
        calls.push("acceptNow");
        return results.shift()?.();
      },
      close() {},
    }),
    connect: () => Promise.reject(new TypeError("Cannot connect")),
  };
  return { network, calls };
}

const peer = (): Transport => new ReadyTransport();

function failing(code: string): () => never {
  return () => {
    throw systemError(new Error(code), code);
  };
}

Deno.test("Listener accepts peers that are there already without a promise for each", pure, async () => {
  const { network, calls } = networkOf([peer, peer, peer]);
  const clock = new VirtualClock();
  const listener = listen({ network, clock });
  void listener.serve(() => {});
  await clock.runUntil(listener.until(({ accepted }) => accepted === 3));
  await clock.advance(0);
  assertEquals(calls, ["accept", "acceptNow", "acceptNow", "acceptNow", "accept"]);
  for (const connection of listener.connections) connection.abort();
});

Deno.test(
  "Listener backs off when it is out of descriptors for a peer that is there already",
  pure,
  async () => {
    // ENOSPC: epoll watches as many descriptors as it may.
    for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC"]) {
      const { network } = networkOf([peer, failing(code), peer]);
      const clock = new VirtualClock();
      const events: string[] = [];
      const listener = listen({ network, clock, onEvent: ({ type }) => void events.push(type) });
      void listener.serve(() => {});
      await clock.runUntil(listener.until(({ outOfDescriptors }) => outOfDescriptors === 1));
      assertEquals([events, clock.timers > 0], [["exhausted"], true]);
      await clock.runUntil(listener.until(({ accepted }) => accepted === 2));
      for (const connection of listener.connections) connection.abort();
    }
  },
);

Deno.test(
  "Listener accepts peers that are there already again after a limit of the rate held it up",
  pure,
  async () => {
    const { network, calls } = networkOf([peer, peer, peer, peer, peer, peer]);
    const clock = new VirtualClock();
    const listener = listen({ network, clock, limits: { maxAcceptRate: 1 } });
    void listener.serve(() => {});
    await clock.runUntil(listener.until(({ paced }) => paced > 0));
    listener.setLimits({ maxAcceptRate: 0 });
    const held = calls.length;
    await clock.runUntil(listener.until(({ accepted }) => accepted === 6));
    assertEquals(calls.slice(held).includes("acceptNow"), true, calls.join(" "));
    for (const connection of listener.connections) connection.abort();
  },
);

Deno.test("Listener.finished rejects with an error of a peer that is there already", pure, async () => {
  const { network } = networkOf([peer, failing("EBADF")]);
  const clock = new VirtualClock();
  const listener = listen({ network, clock });
  listener.serve(() => {}).catch(() => {});
  await assertRejects(() => clock.runUntil(listener.finished), Error, "EBADF");
});

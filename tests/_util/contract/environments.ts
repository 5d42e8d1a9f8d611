/** The sockets of the system, and those in memory. */
import { assertEquals } from "@std/assert";
import { connect as connectNode } from "node:net";
import { faultyNetwork } from "../../../testing/faulty_network.ts";
import { nativeNetwork } from "../../../native/mod.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import type { Network } from "../../../socket/network.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { transportPair } from "../network/transport_pair.ts";
import type { Ground, ResetBehavior } from "./contract.ts";
import { byReadiness } from "./readiness.ts";

/** A connection whose one end is node's, which can reset: Deno's own sockets cannot. */
async function onSystem(behavior: ResetBehavior): Promise<void> {
  const listener = systemNetwork.listen({ port: 0 });
  const near = connectNode(listener.address.port, "127.0.0.1").pause();
  const closed = new Promise<void>((resolve) => near.once("close", () => resolve()));
  await new Promise<void>((resolve) => near.once("connect", resolve));
  const far = await listener.accept();
  try {
    await behavior(far, () => {
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

/** Resets one end of a connection whose both ends are the network's own. */
export async function betweenOwnEnds(behavior: ResetBehavior, network: Network): Promise<void> {
  using pair = await transportPair(network);
  await behavior(pair.far, () => Promise.resolve(pair.near.reset?.()));
}

export const system: Ground = {
  permissions: { net: true },
  run: (behavior) => behavior(systemNetwork),
  runReset: onSystem,
};

/** Absent on other systems than Linux: the network cannot be made there. */
export const native: Ground | undefined = onEpoll((network) => network);
export const nativeByReadiness: Ground | undefined = onEpoll(byReadiness);

/** Runs a test on a native network of its own: its event loop has ended, and its library is closed, when the test ends. */
export async function onNative(test: (network: Network) => Promise<void>): Promise<void> {
  await using network = nativeNetwork();
  await test(network);
}

function onEpoll(wrap: (network: Network) => Network): Ground | undefined {
  if (Deno.build.os !== "linux") return undefined;
  return {
    permissions: { ffi: true },
    run: (behavior) => onNative((network) => behavior(wrap(network))),
    runReset: (behavior) => onNative((network) => betweenOwnEnds(behavior, wrap(network))),
  };
}

export const memory: Ground = {
  permissions: "none",
  run: (behavior) => behavior(new MemoryNetwork()),
  runReset: (behavior) => betweenOwnEnds(behavior, new MemoryNetwork()),
};

async function farAway(body: (network: MemoryNetwork) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 20, bandwidth: 1000, capacity: 1000 });
  await clock.runUntil(body(network));
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
}

export const memoryFarAway: Ground = {
  permissions: "none",
  run: farAway,
  runReset: (behavior) => farAway((network) => betweenOwnEnds(behavior, network)),
};

/** No fault asked for: the wrapper must not show. */
export const memoryBehindFaults: Ground = {
  permissions: "none",
  run: (behavior) => behavior(faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
  runReset: (behavior) =>
    betweenOwnEnds(behavior, faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
};

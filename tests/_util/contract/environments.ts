/** The sockets of the system, and those in memory. */
import { assertEquals } from "@std/assert";
import { connect as connectNode } from "node:net";
import { faultyNetwork } from "../../../testing/faulty_network.ts";
import { nativeNetwork } from "../../../native/mod.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import type { Network } from "../../../socket/network.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { transportPair } from "../transport_pair.ts";
import type { Ground, ResetBehaviour } from "./contract.ts";
import { byReadiness } from "./readiness.ts";

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

/** Resets one end of a connection whose both ends are the network's own. */
export async function betweenOwnEnds(behaviour: ResetBehaviour, network: Network): Promise<void> {
  using pair = await transportPair(network);
  await behaviour(pair.far, () => Promise.resolve(pair.near.reset?.()));
}

export const system: Ground = {
  permissions: { net: true },
  run: (behaviour) => behaviour(systemNetwork),
  runReset: onSystem,
};

/** Absent on other systems than Linux: the network cannot be made there. */
export const native: Ground | undefined = onEpoll((network) => network);
export const nativeByReadiness: Ground | undefined = onEpoll(byReadiness);

function onEpoll(wrap: (network: Network) => Network): Ground | undefined {
  if (Deno.build.os !== "linux") return undefined;
  // Made once and outside the tests: the C library stays open.
  const network = wrap(nativeNetwork());
  return {
    permissions: { ffi: true },
    run: (behaviour) => behaviour(network),
    runReset: (behaviour) => betweenOwnEnds(behaviour, network),
  };
}

export const memory: Ground = {
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

export const memoryFarAway: Ground = {
  permissions: "none",
  run: farAway,
  runReset: (behaviour) => farAway((network) => betweenOwnEnds(behaviour, network)),
};

/** No fault asked for: the wrapper must not show. */
export const memoryBehindFaults: Ground = {
  permissions: "none",
  run: (behaviour) => behaviour(faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
  runReset: (behaviour) =>
    betweenOwnEnds(behaviour, faultyNetwork({ network: new MemoryNetwork(), faults: {} })),
};

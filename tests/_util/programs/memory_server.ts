/** A listener under test and plain peers, in memory and on a virtual clock. */
import type { Connection } from "../../../socket/connection.ts";
import { type LineListenOptions, listen, type Listener } from "../../../socket/listen.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "../../../testing/memory_network.ts";
import type { MemorySocket } from "../../../testing/memory_socket.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";

export interface MemoryServer extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly listener: Listener;
  /** Connects a plain socket, optionally from another host, and waits until it is accepted. */
  dial(options?: { from?: string }): Promise<MemorySocket>;
}

export function memoryServer(options: LineListenOptions & MemoryNetworkOptions = {}): MemoryServer {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ ...options, clock });
  const listener = listen({ ...options, network, clock });
  const sockets: MemorySocket[] = [];
  return {
    clock,
    network,
    listener,
    async dial({ from } = {}) {
      const dialing = from === undefined ? network : network.from(from);
      const socket = await clock.runUntil(dialing.connect({ port: listener.port }));
      sockets.push(socket);
      await clock.advance(0);
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await clock.runUntil(listener.close());
    },
  };
}

/** A handler that echoes lines. */
export async function echo(peer: Connection): Promise<void> {
  for await (const line of peer) peer.send(line);
}

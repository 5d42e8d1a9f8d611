/** A connection under test and the plain socket of its peer, in memory and on a virtual clock. */
import { type Connection, Connection as Line, type ConnectionOptions } from "../../../socket/connection.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "../../../testing/memory_network.ts";
import type { MemorySocket } from "../../../testing/memory_socket.ts";
import type { Transport } from "../../../socket/network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { text } from "./transport_pair.ts";

export interface RawPeer extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly connection: Connection;
  /** The end of the peer. */
  readonly peer: MemorySocket;
  /** The writes of the connection, in the sizes that the socket accepted. */
  readonly writes: readonly string[];
  /** Sends text as the peer, and waits until it has arrived. */
  say(text: string): Promise<void>;
}

export async function rawPeer(
  options: Partial<ConnectionOptions<string>> & MemoryNetworkOptions & { maxLine?: number } = {},
): Promise<RawPeer> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ ...options, clock });
  const listener = network.listen({ port: 7 });
  const [peer, socket] = await clock.runUntil(
    Promise.all([network.connect({ port: 7 }), listener.accept()]),
  );
  listener.close();
  const writes: string[] = [];
  const { clock: _, ...rest } = options;
  const connection = new Line(
    noted(socket, writes),
    new ConnectionSettings({ ...rest, clock, codec: options.codec ?? lineCodec(options) }),
  );
  return {
    clock,
    network,
    connection,
    peer,
    writes,
    async say(words) {
      await clock.runUntil((async () => {
        for (let left = text(words); left.length > 0;) left = left.subarray(await peer.write(left));
      })());
      await clock.advance(0);
    },
    async [Symbol.asyncDispose]() {
      connection.abort();
      peer.close();
      await clock.advance(0);
    },
  };
}

/** Returns the same transport, and records its writes. */
function noted(socket: Transport, writes: string[]): Transport {
  return {
    local: socket.local,
    remote: socket.remote,
    read: (into) => socket.read(into),
    write(bytes) {
      writes.push(new TextDecoder().decode(bytes));
      return socket.write(bytes);
    },
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
  };
}

/** The frames that a loop has read so far. */
export interface Listening {
  readonly lines: string[];
  readonly done: Promise<void>;
}

/** Starts to read lines into an array. */
export function listenTo(connection: Connection): Listening {
  const lines: string[] = [];
  const done = (async () => {
    for await (const line of connection) lines.push(line);
  })();
  return { lines, done };
}

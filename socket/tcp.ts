/** The {@linkcode Network}, {@linkcode Clock}, and {@linkcode Random} of the system. @module */
import {
  type Address,
  type BindOptions,
  type DialOptions,
  type Network,
  type Transport,
  type TransportListener,
  unixAddress,
  unixPath,
} from "./network.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";
import { atEndOfTurn, runTurn } from "../internal/turn.ts";
import { TimerQueue } from "../internal/timer_queue.ts";

const timers = new TimerQueue({
  now: () => performance.now(),
  // What the timers send is written when all that are due have run, without another turn of the runtime.
  set: (run, ms) => setTimeout(runTurn, ms, run, undefined),
  clear: (id) => clearTimeout(id),
});

/** Calls of `soon` that the runtime has not made yet. */
let coming = 0;

function endTurn(run: () => void): void {
  coming--;
  try {
    run();
  } finally {
    if (timers.due) runTurn(attendTimers, coming > 0);
    else attendTimers(coming > 0);
  }
}

function attendTimers(again: boolean): void {
  timers.attend(again);
}

/** The system clock: `performance.now`, one `setTimeout` for all timers, `setImmediate`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms: number, run: () => void): Timer => timers.after(ms, run),
  // Not a microtask: those run between two reads of one turn, and each would get a write of its own.
  soon(run: () => void): void {
    if (atEndOfTurn(run)) return;
    coming++;
    timers.awaitAttendance();
    setImmediate(endTurn, run);
  },
  untilDue: () => timers.untilDue,
};

/** The system's randomness: `Math.random`. */
export const systemRandom: Random = Math.random;

// A small backlog drops SYNs under a burst of connects, and each dropped SYN costs its client a second.
const BACKLOG = 4096;

/** TCP and Unix sockets through `Deno.listen` and `Deno.connect`, with Nagle's algorithm off on every TCP socket. */
export const systemNetwork: Network = {
  listen(options: BindOptions): TransportListener {
    const { hostname = "127.0.0.1", port, reusePort = false } = options;
    const path = unixPath(hostname);
    if (path !== undefined) {
      return new SocketListener(Deno.listen({ transport: "unix", path }), unixAddress(path));
    }
    const listener = Deno.listen({
      hostname,
      port,
      tcpBacklog: BACKLOG,
      ...(reusePort ? { reusePort: true } : {}),
    });
    return new SocketListener(listener, listener.addr);
  },

  async connect(options: DialOptions): Promise<Transport> {
    const { hostname = "127.0.0.1", port, signal } = options;
    const path = unixPath(hostname);
    if (path !== undefined) {
      signal?.throwIfAborted();
      return transportOf(await Deno.connect({ transport: "unix", path }));
    }
    return transportOf(await Deno.connect({ hostname, port, ...(signal ? { signal } : {}) }));
  },
};

/**
 * Removes the file of a Unix socket that no process listens on anymore, as a killed server leaves one behind. Does nothing
 * for other addresses, for a path without a file, and while a process listens there.
 *
 * @throws {Deno.errors.PermissionDenied} If the file cannot be removed.
 */
export async function removeStaleSocket(hostname: string): Promise<void> {
  const path = unixPath(hostname);
  if (path === undefined) return;
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    // Anything else at this path is not ours to remove.
    if ((await Deno.lstat(path)).isSocket) await Deno.remove(path);
  }
}

class SocketListener implements TransportListener {
  readonly address: Address;
  readonly #listener: Deno.TcpListener | Deno.UnixListener;
  #closed = false;

  constructor(listener: Deno.TcpListener | Deno.UnixListener, address: Address) {
    this.#listener = listener;
    this.address = address;
  }

  async accept(): Promise<Transport> {
    return transportOf(await this.#listener.accept());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close(); // Of a Unix socket, this removes the file too.
  }
}

function transportOf(conn: Deno.TcpConn | Deno.UnixConn): Transport {
  // Deno has no address for the client's end of a Unix socket; both ends are known by the path of the server.
  if ("setNoDelay" in conn) {
    try {
      // Nagle's algorithm holds a second small write back until the first is acknowledged: 40 ms.
      conn.setNoDelay(true);
    } catch {
      // The peer has reset the connection already; the first read says so.
    }
  }
  return new SocketTransport(conn);
}

class SocketTransport implements Transport {
  readonly #conn: Deno.TcpConn | Deno.UnixConn;
  #closed = false;

  constructor(conn: Deno.TcpConn | Deno.UnixConn) {
    this.#conn = conn;
  }

  get local(): Address {
    return addressOf(this.#conn.localAddr, this.#conn.remoteAddr);
  }

  get remote(): Address {
    return addressOf(this.#conn.remoteAddr, this.#conn.localAddr);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }
}

/** Returns an address, for an unnamed Unix socket that of its other end. */
function addressOf(address: Deno.NetAddr | Deno.UnixAddr, other: Deno.NetAddr | Deno.UnixAddr): Address {
  if (!("path" in address)) return address;
  return unixAddress(address.path || ("path" in other ? other.path : ""));
}

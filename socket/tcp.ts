/** The real {@linkcode Network}, {@linkcode Clock} and {@linkcode Random}. @module */
import type { Address, BindOptions, DialOptions, Network, Transport, TransportListener } from "./network.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";

/** Real time: `performance.now`, `setTimeout`, `setImmediate`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms: number, run: () => void): Timer {
    const id = setTimeout(run, ms);
    return { cancel: () => clearTimeout(id) };
  },
  // Not a microtask: those run between two reads of one turn, and each would get a write of its own.
  soon(run: () => void): void {
    setImmediate(run);
  },
};

/** Real chance: `Math.random`. */
export const systemRandom: Random = Math.random;

// A small backlog drops SYNs under a burst of connects, and each dropped SYN costs its client a second.
const BACKLOG = 4096;

/** TCP through `Deno.listen` and `Deno.connect`, with Nagle's algorithm off on every socket. */
export const systemNetwork: Network = {
  listen(options: BindOptions): TransportListener {
    return new TcpListener(Deno.listen({
      hostname: options.hostname ?? "127.0.0.1",
      port: options.port,
      tcpBacklog: BACKLOG,
      ...(options.reusePort ? { reusePort: true } : {}),
    }));
  },

  async connect(options: DialOptions): Promise<Transport> {
    const conn = await Deno.connect({
      hostname: options.hostname ?? "127.0.0.1",
      port: options.port,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return tcpTransport(conn);
  },
};

class TcpListener implements TransportListener {
  readonly address: Address;
  readonly #listener: Deno.TcpListener;
  #closed = false;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.address = listener.addr;
  }

  async accept(): Promise<Transport> {
    return tcpTransport(await this.#listener.accept());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}

function tcpTransport(conn: Deno.TcpConn): Transport {
  try {
    // Nagle's algorithm holds a second small write back until the first is acknowledged: 40 ms.
    conn.setNoDelay(true);
  } catch {
    // The peer has reset the connection already; the first read says so.
  }
  return new TcpTransport(conn);
}

class TcpTransport implements Transport {
  readonly #conn: Deno.TcpConn;
  #closed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  get local(): Address {
    return this.#conn.localAddr;
  }

  get remote(): Address {
    return this.#conn.remoteAddr;
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

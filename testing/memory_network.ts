/** In-memory sockets behind the interface of the real ones. @module */
import { MemoryListener } from "./memory_listener.ts";
import { EphemeralPorts } from "./ephemeral_ports.ts";
import { type MemoryPipe, MemorySocket, type Travel } from "./memory_socket.ts";
import type { Address, BindOptions, DialOptions, Network } from "../socket/network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { formatAddress } from "../socket/network.ts";
import { systemError } from "../internal/os_errors.ts";
import { systemClock } from "../socket/tcp.ts";

/** Options of a {@linkcode MemoryNetwork}. */
export interface MemoryNetworkOptions {
  /** The clock for the travel time of packets. Default: the system clock. */
  clock?: Clock;
  /** Latency of a packet in ms, or a function that draws one. Packets of a connection stay in order. Default: 0. */
  latency?: number | (() => number);
  /** Bytes per ms in one direction of a connection. Default: `Infinity`. */
  bandwidth?: number;
  /** Bytes in one direction before a write waits for the peer to read. Default: 64 KiB. */
  capacity?: number;
  /** Most queued peers of one listener. A further peer has to retry. Default: 4096. */
  backlog?: number;
}

/** Counters of a {@linkcode MemoryNetwork}. */
export interface MemoryNetworkStats {
  /** Open listeners. */
  readonly listeners: number;
  /** Ends of connections that were returned and are not closed; 0 if nothing has leaked. */
  readonly sockets: number;
  /** Ends in the queue of a listener. */
  readonly queued: number;
}

// Smaller than a kernel buffer, so that tests see partial and pending writes.
const CAPACITY = 64 * 1024;
const BACKLOG = 4096;
// As on Linux: an unanswered SYN is sent again after 1 s, then after twice as long each time, six times in total.
const FIRST_RETRY = 1000;
const RETRIES = 6;

interface Knock {
  readonly remote: Address;
  readonly socket: MemorySocket;
  /** The next try, if any. */
  retry: Timer | undefined;
  abandoned: boolean;
  resolve(socket: MemorySocket): void;
  reject(reason: unknown): void;
}

/**
 * An in-memory {@linkcode Network} with as many hosts as there are bound addresses. It needs no permission, and the
 * same calls on a {@linkcode VirtualClock} give the same run each time.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { MemoryNetwork, VirtualClock } from "@okline/okline/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * const network = new MemoryNetwork({ clock, latency: 30_000 });
 * const server = listen({ network, clock, port: 8000 });
 * const served = server.serve(async (peer) => {
 *   for await (const line of peer) peer.send(`${line}!`);
 * });
 *
 * const heard = await clock.runUntil((async () => {
 *   const client = await connect({ network, clock, port: 8000, timeouts: { connect: 0 } });
 *   client.send("hello");
 *   return (await client[Symbol.asyncIterator]().next()).value;
 * })());
 * assertEquals(heard, "hello!");
 * assertEquals(clock.now(), 4 * 30_000);
 *
 * await server.close();
 * await served;
 * ```
 */
export class MemoryNetwork implements Network {
  readonly #clock: Clock;
  readonly #travel: Travel;
  readonly #capacity: number;
  readonly #backlog: number;
  /** Listeners by address; several if they share a port. */
  readonly #listeners = new Map<string, MemoryListener[]>();
  /** Client ports in use, each with its local and remote address. */
  readonly #dialed = new Set<string>();
  readonly #ports = new EphemeralPorts();
  readonly #acceptErrors: Error[] = [];
  readonly #connectErrors: Error[] = [];
  readonly #waiting = new Set<MemoryPipe>();
  #cut: (from: Address, to: Address) => boolean = () => false;
  #sockets = 0;

  /** Creates an empty network. */
  constructor(options: MemoryNetworkOptions = {}) {
    const { latency = 0 } = options;
    this.#clock = options.clock ?? systemClock;
    this.#capacity = options.capacity ?? CAPACITY;
    this.#backlog = options.backlog ?? BACKLOG;
    this.#travel = {
      clock: this.#clock,
      latency: typeof latency === "number" ? () => latency : latency,
      bandwidth: options.bandwidth ?? Infinity,
      cut: (from, to) => this.#cut(from, to),
      waiting: this.#waiting,
    };
  }

  /**
   * Binds an address.
   *
   * @throws {Deno.errors.AddrInUse} If the port is in use.
   * @throws {RangeError} If the port is invalid.
   */
  listen(options: BindOptions): MemoryListener {
    const { hostname = "127.0.0.1", port, reusePort = false } = options;
    assertPort(port);
    const address = { hostname: lookUp(hostname), port: port === 0 ? this.#freePort(hostname) : port };
    const key = formatAddress(address);
    const others = this.#listeners.get(key) ?? [];
    if (others.length > 0 && !(reusePort && others.every((other) => other.reusePort))) {
      throw systemError(new Deno.errors.AddrInUse("Address already in use"), "EADDRINUSE");
    }
    const listener: MemoryListener = new MemoryListener({
      address,
      reusePort,
      backlog: this.#backlog,
      nextError: () => this.#acceptErrors.shift(),
      onAccept: () => this.#sockets++,
      onClose: () => this.#unbind(key, listener),
    });
    this.#listeners.set(key, [...others, listener]);
    return listener;
  }

  /**
   * Connects from 127.0.0.1 or ::1.
   *
   * @throws {Deno.errors.ConnectionRefused} If there is no listener.
   * @throws {Deno.errors.TimedOut} If there is no answer, because of a partition or a full queue.
   * @throws The signal's reason, if it aborts first.
   */
  connect(options: DialOptions): Promise<MemorySocket> {
    return this.#connect(options, options.hostname?.includes(":") ? "::1" : "127.0.0.1");
  }

  /** Returns the same network for another host: its connections come from `hostname`. */
  from(hostname: string): Pick<MemoryNetwork, "listen" | "connect"> {
    return {
      listen: (options) => this.listen(options),
      connect: (options) => this.#connect(options, hostname),
    };
  }

  /** Makes the next `accept` of any listener fail, or a pending one immediately. */
  failAccept(error: Error): void {
    for (const listeners of this.#listeners.values()) {
      if (listeners.some((listener) => listener.fail(error))) return;
    }
    this.#acceptErrors.push(error);
  }

  /** Makes the next `connect` fail. */
  failConnect(error: Error): void {
    this.#connectErrors.push(error);
  }

  /**
   * Cuts the network between two addresses for which `cut` returns `true`. Replaces earlier partitions. Nothing is lost:
   * packets arrive after {@linkcode MemoryNetwork.heal}, as with TCP.
   */
  partition(cut: (from: Address, to: Address) => boolean): void {
    this.#cut = cut;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const pipe of waiting) pipe.retry();
  }

  /** Ends the effect of {@linkcode MemoryNetwork.partition}. */
  heal(): void {
    this.partition(() => false);
  }

  /** Returns the counters of the network. */
  stats(): MemoryNetworkStats {
    const listeners = [...this.#listeners.values()].flat();
    const queued = listeners.reduce((sum, listener) => sum + listener.queued, 0);
    return { listeners: listeners.length, sockets: this.#sockets, queued };
  }

  async #connect(options: DialOptions, from: string): Promise<MemorySocket> {
    const { hostname = "127.0.0.1", port, signal } = options;
    assertPort(port);
    signal?.throwIfAborted();
    const error = this.#connectErrors.shift();
    if (error !== undefined) throw error;
    const remote = { hostname: lookUp(hostname), port };
    const socket = this.#clientSocket(from, remote);
    const { promise, resolve, reject } = Promise.withResolvers<MemorySocket>();
    const knock: Knock = { remote, socket, retry: undefined, abandoned: false, resolve, reject };
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#knock(knock);
    try {
      return await promise;
    } catch (reason) {
      knock.retry?.cancel();
      knock.abandoned = true;
      socket.reset();
      throw reason;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Sends a SYN, and repeats it while there is no answer. */
  #knock(knock: Knock, retries = 0): void {
    const { socket, remote } = knock;
    this.#after(this.#travel.latency(), () => {
      if (knock.abandoned) return;
      const listener = this.#listenerAt(remote);
      if (this.#cut(socket.local, remote) || this.#cut(remote, socket.local) || listener?.full) {
        this.#knockAgain(knock, retries);
      } else if (listener === undefined) {
        const refused = systemError(new Deno.errors.ConnectionRefused("Connection refused"), "ECONNREFUSED");
        this.#after(this.#travel.latency(), () => knock.reject(refused));
      } else {
        const other = this.#socket({ local: remote, remote: socket.local, onClose: () => this.#sockets-- });
        MemorySocket.join(socket, other);
        listener.enqueue(other);
        this.#after(this.#travel.latency(), () => knock.resolve(socket));
      }
    });
  }

  #knockAgain(knock: Knock, retries: number): void {
    knock.retry = this.#clock.after(FIRST_RETRY * 2 ** retries, () => {
      if (retries < RETRIES) return this.#knock(knock, retries + 1);
      knock.reject(systemError(new Deno.errors.TimedOut("Connection timed out"), "ETIMEDOUT"));
    });
  }

  #after(ms: number, run: () => void): void {
    if (ms > 0) this.#clock.after(ms, run);
    else this.#clock.soon(run);
  }

  #listenerAt({ hostname, port }: Address): MemoryListener | undefined {
    const any = hostname.includes(":") ? "::" : "0.0.0.0";
    const listeners = this.#listeners.get(formatAddress({ hostname, port })) ??
      this.#listeners.get(formatAddress({ hostname: any, port }));
    const next = listeners?.shift();
    // Listeners that share a port take turns.
    if (next !== undefined) listeners?.push(next);
    return next;
  }

  #unbind(key: string, listener: MemoryListener): void {
    const left = (this.#listeners.get(key) ?? []).filter((other) => other !== listener);
    if (left.length > 0) this.#listeners.set(key, left);
    else this.#listeners.delete(key);
  }

  #clientSocket(from: string, remote: Address): MemorySocket {
    const way = `${from} ${formatAddress(remote)}`;
    const port = this.#ports.pick((free) => !this.#dialed.has(`${free} ${way}`));
    this.#dialed.add(`${port} ${way}`);
    this.#sockets++;
    const onClose = () => {
      this.#sockets--;
      this.#dialed.delete(`${port} ${way}`);
    };
    return this.#socket({ local: { hostname: from, port }, remote, onClose });
  }

  #socket(ends: { local: Address; remote: Address; onClose: () => void }): MemorySocket {
    return new MemorySocket({ ...ends, travel: this.#travel, capacity: this.#capacity });
  }

  #freePort(hostname: string): number {
    return this.#ports.pick((port) => !this.#listeners.has(formatAddress({ hostname, port })));
  }
}

/** Resolves a host name without a name service. */
function lookUp(hostname: string): string {
  if (hostname === "localhost") return "127.0.0.1";
  if (/^[\d.]+$|:/.test(hostname)) return hostname;
  throw new Error(`failed to lookup address information: Name or service not known: ${hostname}`);
}

function assertPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return;
  throw new RangeError(`Invalid port: ${port}, expected an integer from 0 to 65535`);
}

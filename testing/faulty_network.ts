/** Injects faults into any network, determined by a seed. @module */
import { brokenPipe, connectionReset, interrupted } from "../internal/os_errors.ts";
import type { Address, Network, Transport, TransportListener } from "../socket/network.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";

/** Faults to inject. A share is a part of all connections, from 0 to 1. */
export interface Faults {
  /** Every read and write moves a random number of bytes, up to 64. Default: `false`. */
  slice?: boolean;
  /** Share of connections that stall once, during a read or write. Default: 0. */
  stall?: number;
  /** Duration of a stall in ms. Default: 1,000. */
  stallMs?: number;
  /** Share of connections that are reset during a read or write. Default: 0. */
  reset?: number;
}

/** A fault that was injected. Slices are not reported. */
export interface Fault {
  /** The kind of fault. */
  readonly type: "stall" | "reset";
  /** The address of this side. */
  readonly local: Address;
  /** The address of the peer. */
  readonly remote: Address;
}

/** Options of {@linkcode faultyNetwork}. */
export interface FaultyNetworkOptions {
  /** The network to wrap. */
  network: Network;
  /** The faults to inject. */
  faults: Faults;
  /** Determines which connections have faults, and when. Default: the random numbers of the system. */
  random?: Random;
  /** The clock. Default: the system clock. */
  clock?: Clock;
  /** Receives each fault. */
  onFault?: (fault: Fault) => void;
}

const STALL_MS = 1000;
const LARGEST_SLICE = 64;
// A fault happens during one of the first reads and writes, because a short connection has no more.
const FIRST_OPERATIONS = 4;

/**
 * Returns the same network with faults in the sockets that it connects and accepts.
 *
 * A reset is a real one if the sockets can reset. Deno's sockets close instead. This side sees a reset in both cases.
 *
 * @throws {RangeError} If a share is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { faultyNetwork, MemoryNetwork } from "@okline/okline/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new MemoryNetwork();
 * const spoilt = faultyNetwork({ network, faults: { reset: 1 }, random: () => 0 });
 * const server = listen({ network, port: 8000 });
 *
 * const client = await connect({ network: spoilt, port: 8000 });
 * client.send("hello");
 * assertEquals((await client.closed).type, "write-failed");
 * await server.close();
 * ```
 */
export function faultyNetwork(options: FaultyNetworkOptions): Network {
  const { network, faults } = options;
  for (const share of [faults.stall, faults.reset]) {
    if (share !== undefined && !(share >= 0 && share <= 1)) {
      throw new RangeError(`Cannot use the fault share ${share}: expected a number from 0 to 1`);
    }
  }
  const spoil = (transport: Transport) => new FaultyTransport(transport, options);
  return {
    listen(bind): TransportListener {
      const listener = network.listen(bind);
      return {
        address: listener.address,
        accept: async () => spoil(await listener.accept()),
        close: () => listener.close(),
      };
    },
    connect: async (dial) => spoil(await network.connect(dial)),
  };
}

/** A transport with faults. */
class FaultyTransport implements Transport {
  readonly local: Address;
  readonly remote: Address;
  readonly ready: Promise<unknown> | undefined;
  readonly #inner: Transport;
  readonly #options: FaultyNetworkOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Operations until the stall; infinite if there is none. */
  #untilStall: number;
  #untilReset: number;
  #stalled: { timer: Timer; reject(error: Error): void } | undefined;
  #struck = false;
  /** Whether a read has reported the reset, which the kernel does once. */
  #reported = false;

  constructor(inner: Transport, options: FaultyNetworkOptions) {
    this.#inner = inner;
    this.local = inner.local;
    this.remote = inner.remote;
    this.ready = inner.ready;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const random = this.#random = options.random ?? systemRandom;
    const when = (share = 0) => random() < share ? Math.floor(random() * FIRST_OPERATIONS) : Infinity;
    this.#untilStall = when(options.faults.stall);
    this.#untilReset = when(options.faults.reset);
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#struck && this.#reported) return null;
    if (this.#struck) throw this.#takeReset();
    const count = await this.#orReset(this.#inner.read(this.#part(into)));
    // Bytes that were read when a reset happens are lost, as on the network.
    if (count !== null && await this.#strike()) throw this.#takeReset();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#struck) throw brokenPipe();
    if (await this.#strike()) throw connectionReset();
    return await this.#orReset(this.#inner.write(this.#part(bytes)));
  }

  async closeWrite(): Promise<void> {
    if (!this.#struck) await this.#inner.closeWrite();
  }

  close(): void {
    this.#inner.close();
    this.#stopStalling();
  }

  reset(): void {
    if (this.#inner.reset !== undefined) this.#inner.reset();
    else this.#inner.close();
    this.#stopStalling();
  }

  /** Applies the faults that are due for this operation. Resolves with `true` if the connection is reset. */
  async #strike(): Promise<boolean> {
    if (this.#untilStall-- === 0) await this.#stall();
    if (this.#untilReset-- === 0) {
      this.#struck = true;
      this.#report("reset");
      this.reset();
    }
    return this.#struck;
  }

  #stall(): Promise<void> {
    this.#report("stall");
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#options.faults.stallMs ?? STALL_MS, () => {
        this.#stalled = undefined;
        resolve();
      });
      this.#stalled = { timer, reject };
    });
  }

  #stopStalling(): void {
    this.#stalled?.timer.cancel();
    this.#stalled?.reject(this.#struck ? connectionReset() : interrupted());
    this.#stalled = undefined;
  }

  /** Fails a pending operation with the reset, and not with the close that follows it. */
  async #orReset<Result>(operation: Promise<Result>): Promise<Result> {
    try {
      return await operation;
    } catch (error) {
      throw this.#struck ? this.#takeReset() : error;
    }
  }

  #takeReset(): Error {
    this.#reported = true;
    return connectionReset();
  }

  #part(bytes: Uint8Array): Uint8Array {
    if (!this.#options.faults.slice) return bytes;
    return bytes.subarray(0, 1 + Math.floor(this.#random() * Math.min(bytes.length, LARGEST_SLICE)));
  }

  #report(type: Fault["type"]): void {
    this.#options.onFault?.({ type, local: this.local, remote: this.remote });
  }
}

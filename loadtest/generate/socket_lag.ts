/** Measures how late a process reads from its sockets, on a connection to itself. @module */
import { sortConnectError } from "../../socket/connect.ts";
import type { Network, Transport } from "../../socket/network.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import { LatencyHistogram } from "../metrics/latency.ts";

/** Options for {@linkcode SocketLag}. */
export interface SocketLagOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Time between two bytes, in ms. */
  readonly interval: number;
}

const HOSTNAME = "127.0.0.1";

/**
 * Sends bytes to itself, and measures the time until they are read. A process that is short of processor time may run its
 * timers nearly on time and still read its sockets a second late: the latencies that it measures would then be its own.
 */
export class SocketLag {
  readonly #options: SocketLagOptions;
  readonly #histogram = new LatencyHistogram();
  /** When the bytes in flight were due. */
  readonly #sent: number[] = [];
  #unsent = 0;
  #startedAt = 0;
  #due = 0;
  /** Wakes the writer. */
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  #ends: readonly [near: Transport, far: Transport] | readonly [] = [];
  #running: Promise<void> | undefined;

  constructor(options: SocketLagOptions) {
    this.#options = options;
  }

  /** Starts; once only. */
  start(): void {
    this.#startedAt = this.#options.clock.now();
    this.#running = this.#run();
    // Reported by stop(); without a handler now, it would end the process.
    this.#running.catch(() => {});
  }

  /**
   * Stops, and returns the lag at the 99th percentile, in ms; 0 if nothing was measured. A process without a descriptor
   * left for this reads nothing, so that its lag is the whole time.
   */
  async stop(): Promise<number> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#close();
    try {
      await this.#running;
    } catch (error) {
      if (sortConnectError(error) !== "exhausted") throw error;
      return this.#options.clock.now() - this.#startedAt;
    }
    return this.#histogram.percentile(99) ?? 0;
  }

  async #run(): Promise<void> {
    const [near, far] = this.#ends = await this.#connect();
    if (this.#stopped) return this.#close();
    this.#due = this.#options.clock.now();
    this.#tick();
    try {
      await Promise.all([this.#write(near), this.#read(far)]);
    } catch (error) {
      if (!this.#stopped) throw error; // Pending calls fail when their socket is closed.
    }
  }

  #close(): void {
    for (const end of this.#ends) end.close();
    this.#wake?.();
  }

  async #read(far: Transport): Promise<void> {
    const bytes = new Uint8Array(256);
    for (let count = await far.read(bytes); count !== null; count = await far.read(bytes)) {
      const now = this.#options.clock.now();
      for (const sentAt of this.#sent.splice(0, count)) this.#histogram.record(now - sentAt);
    }
  }

  async #write(near: Transport): Promise<void> {
    while (!this.#stopped) {
      if (this.#unsent > 0) this.#unsent -= await near.write(new Uint8Array(this.#unsent));
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Sends every byte that is due; a late process sends several. */
  #tick(): void {
    const { clock, interval } = this.#options;
    const now = clock.now();
    for (; this.#due <= now; this.#due += interval) {
      this.#sent.push(this.#due);
      this.#unsent++;
    }
    this.#wake?.();
    this.#timer = clock.after(this.#due - now, () => this.#tick());
  }

  /** Returns both ends of one connection. */
  async #connect(): Promise<[near: Transport, far: Transport]> {
    const { network } = this.#options;
    const listener = network.listen({ hostname: HOSTNAME, port: 0 });
    try {
      const near = await network.connect({ hostname: HOSTNAME, port: listener.address.port });
      while (true) {
        const far = await listener.accept();
        if (far.remote.port === near.local.port) return [near, far];
        far.close(); // Another process found the port.
      }
    } finally {
      listener.close();
    }
  }
}

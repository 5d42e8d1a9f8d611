/** How late a process hears from its sockets, measured on a connection to itself. @module */
import type { Network, Transport } from "../../socket/network.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import { LatencyHistogram } from "../metrics/latency.ts";

/** What {@linkcode SocketLag} needs. */
export interface SocketLagOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Time from one byte to the next, ms. */
  readonly interval: number;
}

const HOSTNAME = "127.0.0.1";

/**
 * Sends a byte to itself now and then and takes the time until it is read. A process that is short of processor time
 * may still run its timers nearly on time and hear from its sockets a second late: what it measures on them would
 * then be its own doing.
 */
export class SocketLag {
  readonly #options: SocketLagOptions;
  readonly #histogram = new LatencyHistogram();
  /** When the bytes under way were due to be sent. */
  readonly #sent: number[] = [];
  #unsent = 0;
  #due = 0;
  /** Tells the writer to look again. */
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #stopped = false;
  #ends: readonly [near: Transport, far: Transport] | readonly [] = [];
  #running: Promise<void> | undefined;

  constructor(options: SocketLagOptions) {
    this.#options = options;
  }

  /** Begins; once only. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends, and gives the lag at the 99th percentile, ms; 0 where nothing came about. */
  async stop(): Promise<number> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#close();
    await this.#running;
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
      if (!this.#stopped) throw error; // What was under way ends so when its socket is closed.
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

  /** Sends a byte for every one that is due: for a process that was late, all that it should have sent meanwhile. */
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

  /** Two ends of one connection. */
  async #connect(): Promise<[near: Transport, far: Transport]> {
    const { network } = this.#options;
    const listener = network.listen({ hostname: HOSTNAME, port: 0 });
    try {
      const near = await network.connect({ hostname: HOSTNAME, port: listener.address.port });
      while (true) {
        const far = await listener.accept();
        if (far.remote.port === near.local.port) return [near, far];
        far.close(); // a stranger, who found the port
      }
    } finally {
      listener.close();
    }
  }
}

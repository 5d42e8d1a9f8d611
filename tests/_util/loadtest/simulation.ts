/** A relay and its peers in memory, with virtual time. */
import { type RelayClientOptions, runRelayClient, startRelay } from "../../../relay/mod.ts";
import type { RelayServerOptions } from "../../../relay/mod.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";

/** Returns uniform numbers in [0, 1), the same in each run (Park and Miller's minimal standard). */
export function seeded(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** A simulation: a clock, a network, and random numbers. */
export class Simulation {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly random = seeded();

  constructor(options: { latency?: number } = {}) {
    this.network = new MemoryNetwork({ clock: this.clock, ...options });
  }

  /** Options shared by all parts. */
  get seam(): { clock: VirtualClock; network: MemoryNetwork; random: () => number } {
    return { clock: this.clock, network: this.network, random: this.random };
  }

  relay(options: RelayServerOptions = {}): ReturnType<typeof startRelay> {
    return startRelay({ ...this.seam, ...options });
  }

  client(options: Omit<RelayClientOptions, "network" | "clock">): ReturnType<typeof runRelayClient> {
    return runRelayClient({ ...this.seam, ...options });
  }

  /** A peer that a test controls. */
  async peer(port: number): Promise<Peer> {
    const { clock, network } = this;
    return new Peer(this.clock, await this.clock.runUntil(connect({ port, clock, network })));
  }
}

/** A connection on which a test sends and expects lines. */
export class Peer {
  readonly connection: Connection;
  readonly #clock: VirtualClock;
  readonly #lines: AsyncIterableIterator<string>;

  constructor(clock: VirtualClock, connection: Connection) {
    this.#clock = clock;
    this.connection = connection;
    this.#lines = connection[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.connection.send(line);
  }

  /** Returns the next line, or `undefined` at the end. */
  async hear(): Promise<string | undefined> {
    const next = await this.#clock.runUntil(this.#lines.next());
    return next.done ? undefined : next.value;
  }
}

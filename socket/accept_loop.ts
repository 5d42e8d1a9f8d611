/** The accept loops of a listener: errors sorted, suspended and resumed. @module */
import { ExhaustionTracker } from "./exhaustion.ts";
import type { Address, Network, Transport, TransportListener } from "./network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { RateLimit } from "./rate_limit.ts";

/** What the accept loops have met. */
export interface AcceptStats {
  readonly accepted: number;
  /** Peers that were gone before they could be accepted. */
  readonly transientErrors: number;
  /** Times that accepting paused because the process had no descriptor left. */
  readonly outOfDescriptors: number;
  /** Times that accepting paused because peers came faster than they may. */
  readonly paced: number;
}

/** What an error of `accept` means for the loop. */
export type AcceptErrorKind = "transient" | "out-of-descriptors" | "other";

// As Thousand Island does: long enough not to spin, short enough to be back when a descriptor is.
const BACK_OFF_MS = 100;

// The peer was gone before its turn, or the network towards it: Linux hands pending errors of the new socket to
// `accept`, and accept(2) says to try again after each of these.
const TRANSIENT: ReadonlySet<unknown> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINTR",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "ENOTCONN", // Reset before the runtime could ask for its address.
  "EOPNOTSUPP",
  "EPROTO",
  "ETIMEDOUT",
]);

// ENOBUFS and ENOMEM: the kernel is short of memory, which passes as well.
const EXHAUSTED: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Sorts an error of `accept`: go on, pause, or fail. Everything not known to pass by itself is `other`. */
export function sortAcceptError(error: unknown): AcceptErrorKind {
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (TRANSIENT.has(code)) return "transient";
  return EXHAUSTED.has(code) ? "out-of-descriptors" : "other";
}

/** What an {@linkcode AcceptLoop} needs. */
export interface AcceptLoopOptions {
  network: Network;
  clock: Clock;
  /** Addresses that must be bound, all on one port. */
  hostnames: readonly string[];
  /** Addresses to bind as well where the system allows it. */
  tryHostnames: readonly string[];
  /** Told of each of these that could not be bound. */
  onNotBound: (hostname: string, cause: unknown) => void;
  port: number;
  reusePort: boolean;
  /** Most peers a second; 0 for no bound. */
  maxAcceptRate: number;
  /** Told once when the process is out of descriptors, and once when that is over. */
  onExhausted: (exhausted: boolean) => void;
  /** Takes each peer. Accepting goes on when the promise it may give, which must not reject, is fulfilled. */
  deliver: (transport: Transport) => Promise<void> | void;
  changed: () => void;
}

/** Binds and accepts until it is closed. */
export class AcceptLoop {
  readonly addresses: readonly Address[];
  /** Settles when the last loop has ended; rejects with an error of `accept` that does not pass. */
  readonly stopped: Promise<void>;
  readonly #options: AcceptLoopOptions;
  readonly #sockets: readonly TransportListener[];
  #resumed: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** Loops that wait for something; they wait no longer when all is closed. */
  readonly #waiting = new Set<() => void>();
  readonly #pauses = new Set<Timer>();
  readonly #stats = { accepted: 0, transientErrors: 0, outOfDescriptors: 0, paced: 0 };
  readonly #rate: RateLimit | undefined;
  readonly #exhaustion: ExhaustionTracker;

  constructor(options: AcceptLoopOptions) {
    this.#options = options;
    if (options.maxAcceptRate > 0) this.#rate = new RateLimit(options.maxAcceptRate);
    this.#exhaustion = new ExhaustionTracker(options.onExhausted);
    this.#sockets = bind(options);
    this.addresses = this.#sockets.map((socket) => socket.address);
    this.stopped = this.#runAll();
  }

  get suspended(): boolean {
    return this.#resumed !== undefined;
  }

  /** Stops accepting. The port stays bound: the kernel goes on to queue peers, which wait. */
  suspend(): void {
    if (!this.#closed) this.#resumed ??= Promise.withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Unbinds; what the kernel had queued is reset. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
    for (const timer of this.#pauses) timer.cancel();
    this.#pauses.clear();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    this.#resumed = undefined;
  }

  stats(): AcceptStats {
    return { ...this.#stats };
  }

  async #runAll(): Promise<void> {
    try {
      await Promise.all(this.#sockets.map((socket) => this.#run(socket)));
    } finally {
      this.close(); // One that fails takes the others along: a half-bound server would be worse than none.
    }
  }

  async #run(socket: TransportListener): Promise<void> {
    while (!this.#closed) {
      await this.#untilResumed();
      if (this.#closed) return;
      let transport: Transport;
      try {
        transport = await socket.accept();
      } catch (error) {
        if (this.#closed) return;
        await this.#recover(error);
        continue;
      }
      // Suspended while this accept was under way: its peer waits with those in the kernel's queue.
      await this.#untilResumed();
      if (this.#closed) {
        transport.close();
        return;
      }
      this.#stats.accepted++;
      this.#exhaustion.succeeded(() => this.#options.clock.now());
      const taken = this.#options.deliver(transport);
      if (taken !== undefined) await this.#orClosed(taken);
      const early = this.#rate?.take(this.#options.clock.now()) ?? 0;
      if (early > 0 && !this.#closed) {
        this.#stats.paced++;
        await this.#orClosed(this.#pause(early)); // Meanwhile peers wait in the kernel's queue.
      }
    }
  }

  async #untilResumed(): Promise<void> {
    while (this.#resumed !== undefined) await this.#orClosed(this.#resumed.promise);
  }

  async #recover(error: unknown): Promise<void> {
    const kind = sortAcceptError(error);
    if (kind === "other") throw error;
    if (kind === "transient") this.#stats.transientErrors++;
    else {
      this.#stats.outOfDescriptors++;
      this.#exhaustion.failed(this.#options.clock.now());
    }
    this.#options.changed();
    if (kind === "out-of-descriptors") await this.#orClosed(this.#pause(BACK_OFF_MS));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.add(timer);
    });
  }

  /** Waits for a promise that does not reject, but not past the close: who should fulfil it may be waiting for that. */
  #orClosed(promise: Promise<void>): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      promise.then(done);
    });
  }
}

function bind(options: AcceptLoopOptions): TransportListener[] {
  const bound: TransportListener[] = [];
  const add = (hostname: string) => {
    // A port that the system picks is picked once, for all.
    const port = bound[0]?.address.port ?? options.port;
    bound.push(options.network.listen({ hostname, port, reusePort: options.reusePort }));
  };
  try {
    for (const hostname of options.hostnames) add(hostname);
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
  for (const hostname of options.tryHostnames) {
    try {
      add(hostname);
    } catch (error) {
      // Asked for only where it is possible: the addresses tell what was bound. But something must be.
      if (bound.length === 0 && hostname === options.tryHostnames.at(-1)) throw error;
      options.onNotBound(hostname, error);
    }
  }
  if (bound.length === 0) throw new TypeError("Cannot listen: no address to bind was given");
  return bound;
}

/** Accepts peers on the sockets of a listener: errors sorted, suspended and resumed, paced. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { bindAll } from "./bind_all.ts";
import type { ListenerEvent } from "./event.ts";
import type { Address, Network, Transport, TransportListener } from "../network.ts";
import { RateLimit } from "./rate_limit.ts";

/** Counters of accepting. */
export interface AcceptStats {
  /** Peers accepted, including those that were refused afterwards. */
  readonly accepted: number;
  /** Peers that were gone before they could be accepted. */
  readonly transientErrors: number;
  /** Pauses because the process was out of descriptors. */
  readonly outOfDescriptors: number;
  /** Pauses because peers arrived faster than the accept rate. */
  readonly paced: number;
}

/** The meaning of an error of `accept` for the loop. */
export type AcceptErrorKind = "transient" | "out-of-descriptors" | "other";

// As in Thousand Island: long enough not to spin, short enough to be back when a descriptor is.
const BACK_OFF_MS = 100;
// At the limit, each descriptor that becomes free is taken at once. That is one shortage, not one for each peer.
const SHORTAGE_OVER_MS = 5000;

// The peer, or the network to it, was gone before its turn. Linux passes pending errors of the new socket to
// `accept`, and accept(2) says to retry after each of these.
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

// ENOBUFS and ENOMEM: the kernel is short of memory, which passes too. ENOSPC: epoll watches as many descriptors as it may.
const EXHAUSTED: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ENOSPC"]);

/** Sorts an error of `accept`: retry, pause, or fail. An unknown error is `other`. */
export function sortAcceptError(error: unknown): AcceptErrorKind {
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (TRANSIENT.has(code)) return "transient";
  return EXHAUSTED.has(code) ? "out-of-descriptors" : "other";
}

/** The events of accepting. */
export type AcceptEvent = Extract<ListenerEvent<never>, { type: "not-bound" | "exhausted" | "recovered" }>;

/** Options for {@linkcode Acceptor}. */
export interface AcceptorOptions {
  network: Network;
  clock: Clock;
  /** Addresses that must be bound, all with one port. */
  hostnames: readonly string[];
  /** Addresses to bind as well if possible. */
  tryHostnames: readonly string[];
  port: number;
  reusePort: boolean;
  /** Limit of peers accepted per second; 0 disables. */
  maxAcceptRate: number;
  /** Called for each of `tryHostnames` that could not be bound, and when the process runs out of descriptors and recovers. */
  onEvent: (event: AcceptEvent) => void;
  /** Called when accepting fails, and goes on. */
  onChange: () => void;
}

/** Binds sockets, and accepts peers on them until it is closed. */
export class Acceptor {
  readonly addresses: readonly Address[];
  /** The bound sockets, in the order of `addresses`. */
  readonly sockets: readonly TransportListener[];
  readonly #options: AcceptorOptions;
  readonly #stats = { accepted: 0, transientErrors: 0, outOfDescriptors: 0, paced: 0 };
  #rate: RateLimit | undefined;
  /** Waits that end when this is closed. */
  readonly #waits = new Set<() => void>();
  readonly #timers = new Set<Timer>();
  #resumed: PromiseWithResolvers<void> | undefined;
  #pace: Promise<void> | undefined;
  /** Time of the last shortage of descriptors; `undefined` while there is none. */
  #shortage: number | undefined;
  /** An error that `acceptNow` of a socket threw, which `accept` handles. */
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.setMaxRate(options.maxAcceptRate);
    const { network, reusePort } = options;
    const { sockets, notBound } = bindAll(
      options,
      (hostname, port) => network.listen({ hostname, port, reusePort }),
    );
    this.sockets = sockets;
    for (const { hostname, cause } of notBound) options.onEvent({ type: "not-bound", hostname, cause });
    this.addresses = this.sockets.map((socket) => socket.address);
  }

  /** Whether accepting is suspended. */
  get suspended(): boolean {
    return this.#resumed !== undefined;
  }

  /**
   * Waits for the next peer of a socket.
   *
   * @returns The peer, or `undefined` once the acceptor is closed.
   * @throws An error of the system that does not pass by itself.
   */
  async accept(socket: TransportListener): Promise<Transport | undefined> {
    while (!this.#closed) {
      if (this.#mustWait) await this.#ready();
      try {
        this.#throwFailure();
        if (this.#closed) return undefined;
        const transport = await socket.accept();
        // Suspended in the meantime: this peer waits like those in the kernel's queue.
        if (this.#mustWait) await this.#ready();
        if (!this.#closed) return this.#accepted(transport);
        transport.close();
      } catch (error) {
        if (!this.#closed) await this.#recover(error);
      }
    }
    return undefined;
  }

  /** Returns a peer of a socket that is there already, or `undefined` when it is time for {@linkcode Acceptor.accept}. */
  acceptNow(socket: TransportListener): Transport | undefined {
    if (this.#closed || this.#mustWait || socket.acceptNow === undefined) return undefined;
    try {
      const transport = socket.acceptNow();
      return transport && this.#accepted(transport);
    } catch (error) {
      this.#failure = { error };
      return undefined;
    }
  }

  /** Waits for a promise that does not reject, or until this is closed. */
  unlessClosed(promise: Promise<void>): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waits.delete(done);
        resolve();
      };
      this.#waits.add(done);
      void promise.then(done);
    });
  }

  /** Changes the limit of peers accepted per second; 0 disables. */
  setMaxRate(rate: number): void {
    this.#rate = rate > 0 ? new RateLimit(rate) : undefined;
  }

  /** Stops accepting. The ports stay bound, and the kernel keeps queueing peers. */
  suspend(): void {
    if (!this.#closed) this.#resumed ??= Promise.withResolvers();
  }

  /** Accepts again. */
  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Unbinds. The kernel resets the peers in its queue. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.sockets) socket.close();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const done of this.#waits) done();
    this.#resumed = undefined;
  }

  /** Returns the counters. */
  stats(): AcceptStats {
    return { ...this.#stats };
  }

  get #mustWait(): boolean {
    return this.#resumed !== undefined || this.#pace !== undefined;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /** Waits while accepting is suspended, or peers arrive too fast. They wait in the kernel's queue. */
  async #ready(): Promise<void> {
    while (this.#resumed !== undefined) await this.unlessClosed(this.#resumed.promise);
    const pace = this.#pace;
    if (pace === undefined) return;
    await this.unlessClosed(pace);
    if (this.#pace === pace) this.#pace = undefined;
  }

  #accepted(transport: Transport): Transport {
    this.#stats.accepted++;
    const { clock, onEvent } = this.#options;
    if (this.#shortage !== undefined && clock.now() - this.#shortage >= SHORTAGE_OVER_MS) {
      this.#shortage = undefined;
      onEvent({ type: "recovered" });
    }
    const early = this.#rate?.take(clock.now()) ?? 0;
    if (early > 0) {
      this.#stats.paced++;
      this.#pace = this.#pause(early);
    }
    return transport;
  }

  async #recover(error: unknown): Promise<void> {
    const kind = sortAcceptError(error);
    if (kind === "other") throw error;
    const { clock, onChange, onEvent } = this.#options;
    if (kind === "transient") {
      this.#stats.transientErrors++;
      onChange();
      return;
    }
    this.#stats.outOfDescriptors++;
    const known = this.#shortage !== undefined;
    this.#shortage = clock.now();
    if (!known) onEvent({ type: "exhausted" });
    onChange();
    await this.unlessClosed(this.#pause(BACK_OFF_MS));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, () => {
        this.#timers.delete(timer);
        resolve();
      });
      this.#timers.add(timer);
    });
  }
}

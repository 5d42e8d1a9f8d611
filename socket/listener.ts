/** A bound server: accepts peers, admits them, and serves them, until it is shut down. @module */
import type { Clock } from "../internal/clock.ts";
import { stagger } from "../internal/stagger.ts";
import { TaskSet } from "../internal/task_set.ts";
import { Watch } from "../internal/watch.ts";
import { Acceptor } from "./listener/acceptor.ts";
import { Admission } from "./listener/admission.ts";
import { closeOnAbort } from "./listener/close_on_abort.ts";
import type { Connection } from "./connection.ts";
import { DRAINED } from "./errors.ts";
import { HandoffQueue } from "./listener/handoff_queue.ts";
import type { ConnectionTimeouts } from "./connection/options.ts";
import { DRAIN_TIMEOUT } from "./connection/settings.ts";
import type { FrameListenOptions, ListenerStats, ListenLimits } from "./listener/options.ts";
import { Reporter } from "./listener/event.ts";
import type { Address, TransportListener } from "./network.ts";
import { closeAfter, type Handler, serve } from "./listener/serve.ts";
import { systemClock, systemNetwork } from "./tcp.ts";

/** Takes a connection. The next one is accepted once the promise, if there is one, resolves. */
type Taker<Frame> = (connection: Connection<Frame>) => Promise<void> | undefined;

/** A bound server. Iterate over its connections, or let {@linkcode Listener.serve} call a handler for each. */
export class Listener<Frame = string> implements AsyncDisposable, AsyncIterable<Connection<Frame>> {
  /**
   * Resolves when everything is closed: the bound sockets, the connections, and the handlers. Rejects if accepting
   * failed permanently, or with the first error that `onError` would have received.
   */
  readonly finished: Promise<void>;
  readonly #options: FrameListenOptions<Frame>;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #reporter: Reporter<Connection<Frame>>;
  readonly #acceptor: Acceptor;
  readonly #admission: Admission<Frame>;
  readonly #watch = new Watch(() => this.stats());
  /** Each connection until it is closed and its handler has returned. */
  readonly #tasks = new TaskSet();
  #taker: Taker<Frame> | undefined;
  /** Resolves when a taker is set, or none is needed anymore. */
  readonly #takerSet = Promise.withResolvers<void>();
  /** Resolves when no more peers are accepted. */
  readonly #stopped = Promise.withResolvers<void>();

  /**
   * Binds the addresses. Use `listen` instead.
   *
   * @param onChange Called whenever `until` looks again, for an owner that watches more than the listener.
   */
  constructor(options: FrameListenOptions<Frame>, onChange: () => void = () => {}) {
    options.signal?.throwIfAborted();
    // A copy, because `setLimits` changes its limits and timeouts. `Admission` has the same copy and reads them from it.
    options = { ...options };
    this.#options = options;
    this.#onChange = onChange;
    this.#reporter = new Reporter(options, this.#tasks);
    this.#clock = options.clock ?? systemClock;
    this.#admission = new Admission({
      listen: options,
      clock: this.#clock,
      reporter: this.#reporter,
      tasks: this.#tasks,
      onChange: () => this.#changed(),
    });
    const { network = systemNetwork } = options;
    this.#acceptor = new Acceptor({
      network: options.tls?.over(network, this.#clock) ?? network,
      clock: this.#clock,
      hostnames: options.hostnames ?? ["127.0.0.1"],
      tryHostnames: options.tryHostnames ?? [],
      port: options.port ?? 0,
      reusePort: options.reusePort ?? false,
      maxAcceptRate: options.limits?.maxAcceptRate ?? 0,
      onEvent: (event) => this.#reporter.event(event),
      onChange: () => this.#changed(),
    });
    this.finished = this.#run();
    closeOnAbort(this, options.signal);
  }

  /** The loop of each bound socket: accept, admit, serve. */
  async #acceptFrom(socket: TransportListener): Promise<void> {
    for (;;) {
      // Peers that come together are served without a promise for each.
      const transport = this.#acceptor.acceptNow(socket) ?? await this.#acceptor.accept(socket);
      if (transport === undefined) return;
      // Again after the wait: the loop of another socket may have filled the room in the meantime.
      while (this.#admission.mustWait) await this.#admission.untilRoom();
      const connection = this.#admission.admit(transport);
      if (connection === undefined) continue;
      if (this.#taker === undefined) await this.#takerSet.promise;
      const taken = connection.open ? this.#taker?.(connection) : undefined;
      if (taken !== undefined) await taken;
    }
  }

  async #run(): Promise<void> {
    try {
      await Promise.all(this.#acceptor.sockets.map((socket) => this.#acceptFrom(socket)));
    } catch (error) {
      // A socket that fails closes the others, because a half-bound server would be worse than none.
      this.#tasks.fail(error);
      this.#admission.closeAll({ type: "local", why: "accepting failed" });
    } finally {
      this.#stop();
      this.#stopped.resolve();
    }
    await this.#tasks.allSettled();
  }

  /** Bound addresses, one for each hostname. */
  get addresses(): readonly Address[] {
    return this.#acceptor.addresses;
  }

  /** Bound port, the same at every address. */
  get port(): number {
    return this.addresses[0]!.port;
  }

  /** The open connections. */
  get connections(): Iterable<Connection<Frame>> {
    return this.#admission.connections;
  }

  /**
   * Serves every connection with `handler`.
   *
   * If the handler throws, its connection is aborted with the reason `handler-failed`, `onError` receives the error, and
   * `stats().closed` counts it. The listener goes on. Without `onError`, the error is printed on stderr, and `finished`
   * rejects with the first one once everything is closed. A framing error of the peer, or the end of the connection, is not an error of the handler.
   *
   * @example Log errors of handlers
   * ```ts
   * import { connect, listen } from "@okline/okline";
   * import { assertEquals } from "@std/assert";
   *
   * const errors: string[] = [];
   * await using server = listen({ port: 0, onError: (error) => errors.push(error.message) });
   * server.serve(() => {
   *   throw new Error("Cannot open the database");
   * });
   * const client = await connect({ port: server.port });
   * await client.close();
   * await server.until((stats) => stats.closed["handler-failed"] === 1);
   * assertEquals(errors, ["Cannot open the database"]);
   * ```
   *
   * @returns {@linkcode Listener.finished}.
   * @throws {TypeError} If the listener is served or iterated over already.
   */
  serve(handler: Handler<Frame>): Promise<void> {
    this.#setTaker((connection) => void this.#tasks.add(serve(connection, handler, this.#report)));
    return this.finished;
  }

  /**
   * Calls `open` with every connection once its peer is ready. The connection is served until {@linkcode Listener.served}
   * or {@linkcode Listener.failed}. One of them must be called exactly once for each connection that `open` got, unless
   * `open` throws: otherwise {@linkcode Listener.finished} never resolves, or too early.
   *
   * @internal For the relay and the proxy: a promise per connection, and what waits for it, would be a quarter of an idle
   * connection's memory, and a tenth of the CPU time of a short one.
   * @returns {@linkcode Listener.finished}.
   * @throws {TypeError} If the listener is served or iterated over already.
   */
  serveWith(open: (connection: Connection<Frame>) => void): Promise<void> {
    const begin = (connection: Connection<Frame>) => {
      try {
        open(connection);
      } catch (error) {
        this.failed(connection, error);
      }
    };
    this.#setTaker((connection) => {
      this.#tasks.begin();
      if (connection.ready === undefined) begin(connection);
      else {
        void connection.ready.then((ready) => ready ? begin(connection) : this.served(connection));
      }
      return undefined;
    });
    return this.finished;
  }

  /**
   * Closes a connection of {@linkcode Listener.serveWith} gracefully.
   *
   * @internal For the relay and the proxy.
   */
  served(connection: Connection<Frame>): void {
    void connection.close();
    if (connection.open) this.#tasks.endWith(connection.closed);
    else this.#tasks.end();
  }

  /**
   * Ends a connection of {@linkcode Listener.serveWith} as if its handler had thrown `cause`.
   *
   * @internal For the relay and the proxy.
   */
  failed(connection: Connection<Frame>, cause: unknown): void {
    this.#tasks.endWith(closeAfter(Promise.reject(cause), connection, this.#report));
  }

  readonly #report = (error: Error, connection: Connection<Frame>): void =>
    this.#reporter.error(error, connection);

  /** Iterates over the connections. The next one is accepted when the loop asks for it; leaving the loop stops accepting. */
  async *[Symbol.asyncIterator](): AsyncIterator<Connection<Frame>> {
    const queue = new HandoffQueue<Connection<Frame>>();
    this.#setTaker((connection) => {
      this.#tasks.add(connection.closed);
      return this.#acceptor.unlessClosed(queue.push(connection));
    });
    const stopped = this.#stopped.promise.then(() => queue.stop());
    // An error is thrown below, once the body of the loop allows it.
    this.finished.catch(() => {});
    try {
      for (let next; (next = await queue.shift()) !== undefined;) yield next;
    } finally {
      this.#acceptor.close();
      for (const connection of queue.rest()) connection.abort({ type: "local", why: "not served" });
      await stopped;
      this.#tasks.throwFailure();
    }
  }

  /**
   * Stops accepting until {@linkcode Listener.resume}. Until then, peers that connect wait in the kernel's queue. They are
   * reset if the listener is closed.
   */
  suspend(): void {
    this.#acceptor.suspend();
    this.#changed();
  }

  /** Accepts connections again. */
  resume(): void {
    this.#acceptor.resume();
    this.#changed();
  }

  /**
   * Changes limits and timeouts; those that are left out stay. Limits of accepting apply immediately, and close no
   * connection. Limits and timeouts of a connection apply to connections that are accepted from now on.
   */
  setLimits(limits: ListenLimits, timeouts: ConnectionTimeouts = {}): void {
    this.#options.limits = { ...this.#options.limits, ...limits };
    this.#options.timeouts = { ...this.#options.timeouts, ...timeouts };
    if (limits.maxAcceptRate !== undefined) this.#acceptor.setMaxRate(limits.maxAcceptRate);
    this.#admission.applyLimits();
    this.#changed();
  }

  /** Stops accepting permanently: unbinds, which resets the peers in the kernel's queue. Connections stay open. */
  stopAccepting(): void {
    this.#stop();
    this.#changed();
  }

  /**
   * Stops accepting permanently and ends every connection gracefully, a slice at a time.
   *
   * @param options.within Time in ms after which the remaining connections are aborted. Default `timeouts.drain`.
   * @param options.since When that time began, in ms of the clock. Default now.
   * @param options.end Ends one connection, possibly later. Default: closes it with the reason `drained`.
   */
  async shutdown(
    options: { within?: number; since?: number; end?: (connection: Connection<Frame>) => void } = {},
  ): Promise<void> {
    const { end = (connection) => this.#tasks.add(connection.close(DRAINED)) } = options;
    const ms = options.within ?? this.#options.timeouts?.drain ?? DRAIN_TIMEOUT;
    const left = options.since === undefined ? ms : Math.max(0, options.since + ms - this.#clock.now());
    this.#stop();
    const late = this.#clock.after(left, () => {
      this.#admission.closeAll({ type: "timeout", which: "drain", ms });
    });
    const ending = stagger([...this.connections], {
      clock: this.#clock,
      ms: left / 2, // The last connections have the other half.
      each: end,
    });
    try {
      await this.finished;
    } finally {
      late.cancel();
      ending.cancel();
    }
  }

  /** Closes everything immediately and drops pending bytes. */
  async close(): Promise<void> {
    this.#stop();
    this.#admission.closeAll({ type: "local", why: "listener closed" });
    await this.finished;
  }

  /** Returns the counters of the listener. */
  stats(): ListenerStats {
    return {
      ...this.#acceptor.stats(),
      ...this.#admission.connections.counts(),
      suspended: this.#acceptor.suspended,
      waiting: this.#admission.waiting,
    };
  }

  /**
   * Waits until `holds` returns true for the stats, and returns them. Checks after each connection, refusal, and end, and
   * when accepting fails, is suspended, or is resumed.
   */
  until(
    holds: (stats: ListenerStats) => boolean,
    options: { signal?: AbortSignal } = {},
  ): Promise<ListenerStats> {
    return this.#watch.until(holds, options);
  }

  /** Closes like {@linkcode Listener.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #changed(): void {
    this.#watch.changed();
    this.#onChange();
  }

  #stop(): void {
    this.#acceptor.close();
    this.#admission.stop();
    this.#takerSet.resolve(); // A connection that nothing serves must not block its loop.
  }

  #setTaker(taker: Taker<Frame>): void {
    if (this.#taker !== undefined) throw new TypeError("Cannot serve a listener twice");
    this.#taker = taker;
    this.#takerSet.resolve();
  }
}

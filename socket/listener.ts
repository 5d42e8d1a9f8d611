/** A bound server: accepts connections, bounds them, hands them to who serves them, and ends them all. @module */
import { AcceptLoop } from "./accept_loop.ts";
import { Admission } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { HandoffQueue } from "./handoff_queue.ts";
import { lineCodec } from "./codecs/line_codec.ts";
import type { FrameListenOptions, LineListenOptions, ListenerStats } from "./listen_options.ts";
import type { Address, Transport } from "./network.ts";
import type { Clock } from "../internal/clock.ts";
import { type Handler, serveConnection } from "./serving.ts";
import { stagger } from "../internal/stagger.ts";
import { systemClock, systemNetwork } from "./tcp.ts";
import { TaskSet } from "../internal/task_set.ts";
import { Watch } from "../internal/watch.ts";

const DRAIN_TIMEOUT = 10_000;

export type { Handler } from "./serving.ts";
export type {
  FrameListenOptions,
  LineListenOptions,
  ListenerStats,
  ListenOptions,
} from "./listen_options.ts";

/**
 * A bound server. Loop over it for its connections, or let {@linkcode Listener.serve} call a handler for each.
 */
export class Listener<Frame = string> implements AsyncDisposable, AsyncIterable<Connection<Frame>> {
  /**
   * Settles when everything is closed: the bound sockets, the connections, and the handlers have returned. Rejects
   * when accepting failed for good, `onClosed` or `onRefused` threw, or a handler threw after its connection had ended and there is no
   * `onLateFailure`.
   */
  readonly finished: Promise<void>;
  readonly #options: FrameListenOptions<Frame>;
  readonly #clock: Clock;
  readonly #acceptor: AcceptLoop;
  readonly #admission: Admission<Frame>;
  readonly #watch = new Watch(() => this.stats());
  /** What {@linkcode Listener.finished} waits for. */
  readonly #tasks = new TaskSet();
  #take: ((connection: Connection<Frame>) => Promise<void> | undefined) | undefined;
  #taker = Promise.withResolvers<void>();

  constructor(options: FrameListenOptions<Frame>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#admission = new Admission({
      listen: options,
      clock: this.#clock,
      tasks: this.#tasks,
      hand: (connection) => this.#hand(connection),
      changed: () => this.#changed(),
    });
    this.#acceptor = new AcceptLoop({
      network: options.network ?? systemNetwork,
      clock: this.#clock,
      hostnames: options.hostnames ?? ["127.0.0.1"],
      tryHostnames: options.tryHostnames ?? [],
      onNotBound: options.onNotBound ?? (() => {}),
      port: options.port ?? 0,
      reusePort: options.reusePort ?? false,
      maxAcceptRate: options.maxAcceptRate ?? 0,
      onExhausted: options.onExhausted ?? (() => {}),
      deliver: (transport) => this.#deliver(transport),
      changed: () => this.#changed(),
    });
    this.finished = this.#untilClosed();
  }

  /** Where it is bound, one for each hostname. */
  get addresses(): readonly Address[] {
    return this.#acceptor.addresses;
  }

  /** The port it is bound to, the same at every address. */
  get port(): number {
    return this.addresses[0]!.port;
  }

  /** The connections that stand. */
  get connections(): Iterable<Connection<Frame>> {
    return this.#admission.connections;
  }

  /**
   * Serves every connection, those to come as well, with `handler`.
   *
   * @returns What {@linkcode Listener.finished} is.
   * @throws {TypeError} If the listener is served or looped over already.
   */
  serve(handler: Handler<Frame>): Promise<void> {
    const failedLate = this.#options.onLateFailure ?? ((_, error: Error) => this.#tasks.fail(error));
    const serving = { handler, failedLate };
    this.#setTaker((connection) => void this.#tasks.add(serveConnection(connection, serving)));
    return this.finished;
  }

  /** The connections as they are accepted; the next one is accepted when the loop asks for it. Leaving the loop stops accepting for good. */
  async *[Symbol.asyncIterator](): AsyncIterator<Connection<Frame>> {
    const handover = new HandoffQueue<Connection<Frame>>();
    this.#setTaker((connection) => handover.push(connection));
    const ended = this.#acceptor.stopped.finally(() => handover.stop());
    // The loop throws it below, once its body lets it; `closed` rejects with it for those who look there.
    ended.catch(() => {});
    this.finished.catch(() => {});
    try {
      for (let next; (next = await handover.shift()) !== undefined;) yield next;
    } finally {
      this.#acceptor.close();
      for (const connection of handover.rest()) connection.abort({ type: "local", why: "not served" });
      await ended;
    }
  }

  /** Stops accepting until {@linkcode Listener.resume}. Peers that connect meanwhile wait in the kernel's queue, and are reset if the listener is closed instead. */
  suspend(): void {
    this.#acceptor.suspend();
    this.#changed();
  }

  resume(): void {
    this.#acceptor.resume();
    this.#changed();
  }

  /** Stops accepting for good: unbinds, and what the kernel had queued is reset. Connections stay. */
  stopAccepting(): void {
    this.#stop();
    this.#changed();
  }

  /**
   * Stops accepting for good and ends every connection in order, a slice at a time.
   *
   * @param options.within Time in ms after which the rest is cut. Default `drainTimeout`.
   * @param options.since When that time began, on the clock, ms. Default now.
   */
  async shutdown(options: { within?: number; since?: number } = {}): Promise<void> {
    const ms = options.within ?? this.#options.drainTimeout ?? DRAIN_TIMEOUT;
    const left = options.since === undefined ? ms : Math.max(0, options.since + ms - this.#clock.now());
    this.#stop();
    const late = this.#clock.after(left, () => {
      for (const connection of this.connections) connection.abort({ type: "timeout", which: "drain", ms });
    });
    const ending = stagger([...this.connections], {
      clock: this.#clock,
      ms: left / 2, // The other half is for the last of them.
      each: (connection) => this.#tasks.add(connection.close({ type: "local", why: "drained" })),
    });
    try {
      await this.finished;
    } finally {
      late.cancel();
      ending.cancel();
    }
  }

  /** Closes everything now; what waits to be sent is dropped. */
  async close(): Promise<void> {
    this.#stop();
    this.#admission.closeAll("listener closed");
    await this.finished;
  }

  stats(): ListenerStats {
    return {
      ...this.#acceptor.stats(),
      ...this.#admission.connections.counts(),
      suspended: this.#acceptor.suspended,
      waiting: this.#admission.waiting,
    };
  }

  /**
   * Waits until `holds` is true of the stats, and gives them. It looks again whenever a connection comes, ends or is
   * refused, and when accepting fails, is suspended or resumed.
   */
  until(
    holds: (stats: ListenerStats) => boolean,
    options: { signal?: AbortSignal } = {},
  ): Promise<ListenerStats> {
    return this.#watch.until(holds, options);
  }

  /** As {@linkcode Listener.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #changed(): void {
    this.#watch.changed();
    this.#options.onChanged?.();
  }

  #stop(): void {
    this.#acceptor.close();
    this.#admission.stop();
    this.#taker.resolve(); // A connection that nobody has come to serve must not hold the accept loop.
  }

  #setTaker(take: (connection: Connection<Frame>) => Promise<void> | undefined): void {
    if (this.#take !== undefined) throw new TypeError("Cannot serve a listener twice");
    this.#take = take;
    this.#taker.resolve();
  }

  #deliver(transport: Transport): Promise<void> | void {
    // What is asked who may come is code of others, and may throw: then nobody can be let in.
    const failed = (error: unknown) => {
      transport.close();
      this.#tasks.fail(error);
      this.#stop();
      this.#admission.closeAll("accepting failed");
    };
    try {
      return this.#admission.admit(transport)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #hand(connection: Connection<Frame>): Promise<void> | undefined {
    if (this.#take !== undefined) return this.#take(connection);
    return this.#taker.promise.then(() => connection.open ? this.#take?.(connection) : undefined);
  }

  async #untilClosed(): Promise<void> {
    try {
      await this.#acceptor.stopped;
    } catch (error) {
      this.#tasks.fail(error);
      this.#admission.closeAll("accepting failed");
    } finally {
      this.#stop();
    }
    await this.#tasks.allSettled();
  }
}

/**
 * Binds and accepts.
 *
 * @returns The listener, bound already: its `port` is known.
 * @throws {Deno.errors.AddrInUse} If the port is taken, and the other errors of `Deno.listen`.
 *
 * @example Lines
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen();
 * const done = server.serve(async (peer) => {
 *   for await (const line of peer.lines()) peer.send(line);
 * });
 *
 * const client = await connect({ port: server.port });
 * client.send("hello");
 * for await (const line of client.lines()) {
 *   assertEquals(line, "hello");
 *   break;
 * }
 * assertEquals((await client.close()).type, "natural");
 * await server.close();
 * await done;
 * ```
 */
export function listen(options?: LineListenOptions): Listener<string>;
export function listen<Frame>(options: FrameListenOptions<Frame>): Listener<Frame>;
export function listen<Frame>(
  options: FrameListenOptions<Frame> | LineListenOptions = {},
): Listener<Frame> | Listener<string> {
  if (options.codec !== undefined) return new Listener(options);
  return new Listener({ ...options, codec: lineCodec(options) });
}

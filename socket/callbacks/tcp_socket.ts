/** A TCP client by callbacks. @module */
import type { Codec } from "../codecs/codec.ts";
import { connect, type ConnectOptions } from "../connect.ts";
import type { Connection } from "../connection.ts";
import type { CloseReason } from "../errors.ts";
import {
  callSafely,
  codecOf,
  type CodecOptions,
  connectionInfo,
  deliver,
  DrainedSender,
  reportTo,
  type TcpConnectionInfo,
} from "./types.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import { backOffDelay } from "../../internal/back_off.ts";
import { sleep } from "../../internal/sleep.ts";
import { systemClock, systemRandom } from "../tcp.ts";

/** Callbacks of a {@linkcode TcpSocket}. The socket does not wait for them. */
export interface TcpSocketCallbacks<Frame> {
  /** Connected, for the first time or again. */
  connected?(): void;
  /** A frame was received: bytes, or a line, according to the codec. */
  data?(data: Frame): void;
  /** All pending frames are written after `send` returned `false`: sending may go on. */
  drained?(): void;
  /** The connection has ended. */
  disconnected?(reason: CloseReason): void;
  /** An error: connecting failed, the input could not be framed, or another callback threw. */
  error(error: Error): void;
}

/** Reconnect options of a {@linkcode TcpSocket}. */
export interface ReconnectOptions {
  /** Number of failed attempts in a row after which it gives up. Default `Infinity`. */
  readonly maxAttempts?: number;
  /**
   * Upper limit of the random delay before an attempt, in ms, after a connection ends. It doubles with each failed
   * attempt in a row. Default 100.
   */
  readonly delay?: number;
  /** Maximum of that upper limit, in ms. Default 10,000. */
  readonly maxDelay?: number;
}

/** Options for {@linkcode TcpSocket}: those of {@linkcode connect} without the address. */
export type TcpSocketOptions = Omit<ConnectOptions, "hostname" | "port" | "signal" | "farewell"> & {
  /** Reconnects when connecting fails or a connection ends, until `disconnect`. Default: no reconnection. */
  reconnect?: ReconnectOptions;
  /** Source of the random delays, which keep the clients of one server from reconnecting in the same moment. */
  random?: Random;
};

const DELAY = 100;
const MAX_DELAY = 10_000;

/**
 * A TCP client with callbacks, which can reconnect; see {@linkcode connect} for loops.
 *
 * @example A client that sends as fast as the server reads
 * ```ts
 * import { lineCodec, TcpServer, TcpSocket } from "@okline/okline/socket";
 *
 * const server = new TcpServer({ codec: lineCodec() });
 * const finished = Promise.withResolvers<void>();
 * server.listen("127.0.0.1", 0, {
 *   data: (_id, line) => line === "999" && finished.resolve(),
 *   error: finished.reject,
 * });
 * let next = 0;
 * const socket = new TcpSocket({ codec: lineCodec(), limits: { highWater: 100 } });
 * const sendMore = () => {
 *   while (next < 1000) if (!socket.send(`${next++}`)) return;
 * };
 * socket.connect("127.0.0.1", server.address!.port, {
 *   connected: sendMore,
 *   drained: sendMore,
 *   error: finished.reject,
 * });
 * await finished.promise;
 * await socket.disconnect();
 * await server.stop();
 * ```
 */
export class TcpSocket<Frame = Uint8Array> {
  readonly #options: TcpSocketOptions;
  readonly #codec: Codec<Frame>;
  readonly #clock: Clock;
  readonly #random: Random;
  #connection: Connection<Frame> | undefined;
  #sender: DrainedSender<Frame> | undefined;
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  /**
   * Creates a socket that is not connected yet.
   *
   * @param args Options, with the framing as `codec`. Without a codec, data are bytes as they arrive.
   */
  constructor(...args: CodecOptions<Frame, TcpSocketOptions>) {
    const [options = {}] = args;
    this.#options = options;
    this.#codec = codecOf(options.codec);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  /** A snapshot of the connection, or undefined if there is none. */
  get info(): TcpConnectionInfo | undefined {
    return this.#connection && connectionInfo(this.#connection, this.#clock);
  }

  /**
   * Connects, and reconnects as `reconnect` says.
   *
   * @throws {TypeError} If the socket is connected or connecting.
   */
  connect(hostname: string, port: number, callbacks: TcpSocketCallbacks<Frame>): void {
    if (this.#stop) throw new TypeError("Cannot connect: this socket is in use");
    const stop = new AbortController();
    this.#stop = stop;
    this.#running = this.#run({ hostname, port }, callbacks, stop.signal).finally(() =>
      this.#stop = undefined
    );
  }

  /**
   * Sends a frame.
   *
   * @returns `false` if the peer falls behind: wait for `drained` before sending more. Also `false` if there is no
   * connection.
   */
  send(data: Frame): boolean {
    return this.#sender?.send(data) ?? false;
  }

  /** Closes the connection gracefully, stops reconnecting, and waits for that. */
  async disconnect(): Promise<void> {
    this.#stop?.abort();
    await this.#connection?.close({ type: "local", why: "disconnected" });
    await this.#running;
  }

  async #run(
    to: { hostname: string; port: number },
    callbacks: TcpSocketCallbacks<Frame>,
    signal: AbortSignal,
  ): Promise<void> {
    const { reconnect } = this.#options;
    for (let failures = 0;;) {
      const connection = await this.#dial(to, callbacks, signal);
      failures = connection ? 0 : failures + 1;
      // A `disconnect` in the moment of connecting found no connection to close.
      if (signal.aborted) connection?.abort();
      else if (connection) await this.#serve(connection, callbacks);
      if (!reconnect || signal.aborted || failures >= (reconnect.maxAttempts ?? Infinity)) return;
      const { delay: first = DELAY, maxDelay: longest = MAX_DELAY } = reconnect;
      const ms = backOffDelay(failures + 1, { first, longest, random: this.#random });
      try {
        await sleep(ms, this.#clock, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        return;
      }
    }
  }

  async #dial(
    to: { hostname: string; port: number },
    callbacks: TcpSocketCallbacks<Frame>,
    signal: AbortSignal,
  ): Promise<Connection<Frame> | undefined> {
    try {
      return await connect({ ...this.#options, ...to, codec: this.#codec, signal });
    } catch (error) {
      if (!signal.aborted) reportTo(error, (cause) => callbacks.error(cause));
      return undefined;
    }
  }

  async #serve(connection: Connection<Frame>, callbacks: TcpSocketCallbacks<Frame>): Promise<void> {
    const error = (cause: Error) => callbacks.error(cause);
    this.#connection = connection;
    this.#sender = new DrainedSender(connection, () => callSafely(() => callbacks.drained?.(), error));
    await deliver(connection, {
      connected: () => callbacks.connected?.(),
      data: (frame) => callbacks.data?.(frame),
      disconnected: (reason) => {
        this.#connection = undefined;
        this.#sender = undefined;
        callbacks.disconnected?.(reason);
      },
      error,
    });
  }
}

/** A TCP client by callbacks. @module */
import type { Codec } from "../codecs/codec.ts";
import { connect, type ConnectOptions } from "../connect.ts";
import type { Connection } from "../connection.ts";
import type { CloseReason } from "../errors.ts";
import {
  codecOf,
  type CodecOptions,
  connectionInfo,
  deliver,
  type TcpConnectionInfo,
  tell,
} from "./types.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import { sleep } from "../../internal/sleep.ts";
import { systemClock, systemRandom } from "../tcp.ts";

/** What a {@linkcode TcpSocket} calls. None of them is waited for. */
export interface TcpSocketCallbacks<Frame> {
  /** Connected, for the first time or again. */
  connected?(): void;
  /** A frame has come: bytes as they came, or a line, as the codec has it. */
  data?(data: Frame): void;
  /** The connection has ended. */
  disconnected?(reason: CloseReason): void;
  /** Something failed: a connect, the framing, or another callback, which threw. */
  error(error: Error): void;
}

/** How a {@linkcode TcpSocket} comes back. */
export interface ReconnectOptions {
  /** Connects in a row that may fail before it gives up. Default `Infinity`. */
  readonly maxAttempts?: number;
  /** Time in ms before the first one; it doubles with each that fails. Default 100. */
  readonly delay?: number;
  /** Most that it doubles to, ms. Default 10,000. */
  readonly maxDelay?: number;
}

/** Options of a {@linkcode TcpSocket}: those of {@linkcode connect} but for the address. */
export type TcpSocketOptions = Omit<ConnectOptions, "hostname" | "port" | "signal" | "farewell"> & {
  /** Connects again when a connect fails or a connection ends, until `disconnect`. Default: it does not. */
  reconnect?: ReconnectOptions;
  /** Spreads the delays, so that clients of one server do not come back all at once. */
  random?: Random;
};

const DELAY = 100;
const MAX_DELAY = 10_000;

/** A TCP client for those who like callbacks; {@linkcode connect} has loops instead. See {@linkcode TcpServer}. */
export class TcpSocket<Frame = Uint8Array> {
  readonly #options: TcpSocketOptions;
  readonly #codec: Codec<Frame>;
  readonly #clock: Clock;
  readonly #random: Random;
  #connection: Connection<Frame> | undefined;
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param args Options, with the framing as `codec`; without one, data are bytes as they come. */
  constructor(...args: CodecOptions<Frame, TcpSocketOptions>) {
    const [options = {}] = args;
    this.#options = options;
    this.#codec = codecOf(options.codec);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  /** What is known of the connection; undefined while there is none. */
  get info(): TcpConnectionInfo | undefined {
    return this.#connection && connectionInfo(this.#connection, this.#clock);
  }

  /**
   * Connects, and stays in touch as `reconnect` says.
   *
   * @throws {TypeError} If it is connected, or still trying.
   */
  connect(hostname: string, port: number, callbacks: TcpSocketCallbacks<Frame>): void {
    if (this.#stop) throw new TypeError("Cannot connect: this socket is in use");
    const stop = new AbortController();
    this.#stop = stop;
    this.#running = this.#run({ hostname, port }, callbacks, stop.signal).finally(() =>
      this.#stop = undefined
    );
  }

  /** Sends. @returns `false` if the peer falls behind in reading, or there is no connection. */
  send(data: Frame): boolean {
    return this.#connection?.send(data) ?? false;
  }

  /** Ends the connection once the peer has what was sent to it, stops connecting again, and waits for that. */
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
      // Whoever called `disconnect` while the connect was just done saw no connection to end.
      if (signal.aborted) connection?.abort();
      else if (connection) await this.#serve(connection, callbacks);
      if (!reconnect || signal.aborted || failures >= (reconnect.maxAttempts ?? Infinity)) return;
      const { delay = DELAY, maxDelay = MAX_DELAY } = reconnect;
      const ms = Math.min(maxDelay, delay * 2 ** failures) * (1 + this.#random()) / 2;
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
      if (!signal.aborted) tell(error, (cause) => callbacks.error(cause));
      return undefined;
    }
  }

  async #serve(connection: Connection<Frame>, callbacks: TcpSocketCallbacks<Frame>): Promise<void> {
    this.#connection = connection;
    await deliver(connection, {
      connected: () => callbacks.connected?.(),
      data: (frame) => callbacks.data?.(frame),
      disconnected: (reason) => {
        this.#connection = undefined;
        callbacks.disconnected?.(reason);
      },
      error: (error) => callbacks.error(error),
    });
  }
}

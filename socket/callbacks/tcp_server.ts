/** A TCP server by callbacks. @module */
import type { Codec } from "../codecs/codec.ts";
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
import { listen, type Listener, type ListenOptions } from "../listen.ts";
import type { Address } from "../network.ts";
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../tcp.ts";

/** Callbacks of a {@linkcode TcpServer}. The server does not wait for them. */
export interface TcpServerCallbacks<Frame> {
  /** The server is listening. */
  started?(address: Address): void;
  /** A client has connected. */
  connected?(id: number): void;
  /** A frame was received: bytes, or a line, according to the codec. */
  data?(id: number, data: Frame): void;
  /** All pending frames of a connection are written after `send` returned `false`: sending may go on. */
  drained?(id: number): void;
  /** A connection has ended. This is its last callback. */
  disconnected?(id: number, reason: CloseReason): void;
  /** An error: of the connection `id` if it is given, such as a framing error, or thrown by another callback. */
  error(error: Error, id?: number): void;
}

/** Options for {@linkcode TcpServer}: those of {@linkcode listen} without the address. */
export type TcpServerOptions = Omit<
  ListenOptions,
  "hostnames" | "tryHostnames" | "port" | "refusal" | "farewell" | "onEvent" | "onError"
>;

interface Served<Frame> {
  readonly connection: Connection<Frame>;
  readonly sender: DrainedSender<Frame>;
}

/**
 * A TCP server with callbacks; see {@linkcode listen} for loops.
 *
 * @example Lines
 * ```ts
 * import { lineCodec, TcpServer, TcpSocket } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const server = new TcpServer({ codec: lineCodec() });
 * const heard = Promise.withResolvers<string>();
 * server.listen("127.0.0.1", 0, {
 *   data: (id, line) => server.send(id, `You said ${line}`),
 *   error: console.error,
 * });
 * const socket = new TcpSocket({ codec: lineCodec() });
 * socket.connect("127.0.0.1", server.address!.port, {
 *   connected: () => socket.send("hello"),
 *   data: (line) => heard.resolve(line),
 *   error: heard.reject,
 * });
 * assertEquals(await heard.promise, "You said hello");
 * await socket.disconnect();
 * await server.stop();
 * ```
 */
export class TcpServer<Frame = Uint8Array> {
  readonly #options: TcpServerOptions;
  readonly #codec: Codec<Frame>;
  readonly #clock: Clock;
  readonly #connections = new Map<number, Served<Frame>>();
  #listener: Listener<Frame> | undefined;

  /**
   * Creates a server that does not listen yet.
   *
   * @param args Options, with the framing as `codec`. Without a codec, data are bytes as they arrive.
   */
  constructor(...args: CodecOptions<Frame, TcpServerOptions>) {
    const [options = {}] = args;
    this.#options = options;
    this.#codec = codecOf(options.codec);
    this.#clock = options.clock ?? systemClock;
  }

  /** The address that it listens on, or undefined if it does not listen. */
  get address(): Address | undefined {
    return this.#listener?.addresses[0];
  }

  /** The ids of the open connections. */
  get ids(): readonly number[] {
    return [...this.#connections.keys()];
  }

  /**
   * Binds and serves. Calls `error` if the port cannot be bound.
   *
   * @param port With 0, the OS picks one and `started` reports it.
   * @throws {TypeError} If the server listens already.
   */
  listen(hostname: string, port: number, callbacks: TcpServerCallbacks<Frame>): void {
    if (this.#listener) throw new TypeError("Cannot listen: this server listens already");
    const fail = (error: Error) => callbacks.error(error);
    let listener: Listener<Frame>;
    try {
      listener = listen({
        ...this.#options,
        codec: this.#codec,
        hostnames: [hostname],
        port,
        onError: (error, peer) => reportTo(error, (cause) => callbacks.error(cause, peer?.id)),
      });
    } catch (error) {
      reportTo(error, fail);
      return;
    }
    this.#listener = listener;
    listener.serve((connection) => this.#serve(connection, callbacks)).catch((error) =>
      reportTo(error, fail)
    );
    callSafely(() => callbacks.started?.(listener.addresses[0]!), fail);
  }

  /**
   * Sends a frame to one connection.
   *
   * @returns `false` if the peer falls behind: wait for `drained` before sending more. Also `false` if there is no
   * connection with this id.
   */
  send(id: number, data: Frame): boolean {
    return this.#connections.get(id)?.sender.send(data) ?? false;
  }

  /** Closes one connection gracefully. Does nothing if there is no connection with this id. */
  async disconnect(id: number): Promise<void> {
    await this.#connections.get(id)?.connection.close({ type: "local", why: "disconnected" });
  }

  /** Returns a snapshot of a connection, or undefined if there is no connection with this id. */
  info(id: number): TcpConnectionInfo | undefined {
    const served = this.#connections.get(id);
    return served && connectionInfo(served.connection, this.#clock);
  }

  /** Stops accepting until {@linkcode TcpServer.resume}; see {@linkcode Listener.suspend}. Does nothing if the server does not listen. */
  suspend(): void {
    this.#listener?.suspend();
  }

  /** Accepts again, beginning with the clients that are pending. */
  resume(): void {
    this.#listener?.resume();
  }

  /** Stops accepting, closes every connection gracefully, and waits for that. It can listen again afterward. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    await listener?.shutdown();
    if (this.#listener === listener) this.#listener = undefined;
  }

  async #serve(connection: Connection<Frame>, callbacks: TcpServerCallbacks<Frame>): Promise<void> {
    const { id } = connection;
    const error = (cause: Error) => callbacks.error(cause, id);
    const sender = new DrainedSender(connection, () => callSafely(() => callbacks.drained?.(id), error));
    this.#connections.set(id, { connection, sender });
    await deliver(connection, {
      connected: () => callbacks.connected?.(id),
      data: (frame) => callbacks.data?.(id, frame),
      disconnected: (reason) => {
        this.#connections.delete(id);
        callbacks.disconnected?.(id, reason);
      },
      error,
    });
  }
}

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
  type TcpConnectionInfo,
  tell,
} from "./types.ts";
import { listen, type Listener, type ListenOptions } from "../listener.ts";
import type { Address } from "../network.ts";
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../tcp.ts";

/** What a {@linkcode TcpServer} calls. None of them is waited for. */
export interface TcpServerCallbacks<Frame> {
  /** Bound, and accepting. */
  started?(address: Address): void;
  /** Somebody has connected. */
  connected?(id: number): void;
  /** A frame has come: bytes as they came, or a line, as the codec has it. */
  data?(id: number, data: Frame): void;
  /** A connection has ended; nothing more comes of it. */
  disconnected?(id: number, reason: CloseReason): void;
  /** Something failed, for one connection where an id is given: its framing, or another callback, which threw. */
  error(error: Error, id?: number): void;
}

/** Options of a {@linkcode TcpServer}: those of {@linkcode listen} but for the address. */
export type TcpServerOptions = Omit<
  ListenOptions,
  "hostnames" | "tryHostnames" | "onNotBound" | "port" | "refusal" | "farewell" | "onClosed" | "onLateFailure"
>;

/**
 * A TCP server for those who like callbacks; {@linkcode listen} has loops instead.
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
  readonly #connections = new Map<number, Connection<Frame>>();
  #listener: Listener<Frame> | undefined;

  /** @param args Options, with the framing as `codec`; without one, data are bytes as they come. */
  constructor(...args: CodecOptions<Frame, TcpServerOptions>) {
    const [options = {}] = args;
    this.#options = options;
    this.#codec = codecOf(options.codec);
    this.#clock = options.clock ?? systemClock;
  }

  /** Where it listens; undefined while it does not. */
  get address(): Address | undefined {
    return this.#listener?.addresses[0];
  }

  /** The ids of those who are connected. */
  get ids(): readonly number[] {
    return [...this.#connections.keys()];
  }

  /**
   * Binds and serves. A port that cannot be bound is told to `error`.
   *
   * @param port 0 lets the system pick one; `started` is told which.
   * @throws {TypeError} If it listens already.
   */
  listen(hostname: string, port: number, callbacks: TcpServerCallbacks<Frame>): void {
    if (this.#listener) throw new TypeError("Cannot listen: this server listens already");
    const fail = (error: Error) => callbacks.error(error);
    let listener: Listener<Frame>;
    try {
      listener = listen({ ...this.#options, codec: this.#codec, hostnames: [hostname], port });
    } catch (error) {
      tell(error, fail);
      return;
    }
    this.#listener = listener;
    listener.serve((connection) => this.#serve(connection, callbacks)).catch((error) => tell(error, fail));
    callSafely(() => callbacks.started?.(listener.addresses[0]!), fail);
  }

  /** Sends to one. @returns `false` if it falls behind in reading, or is not connected. */
  send(id: number, data: Frame): boolean {
    return this.#connections.get(id)?.send(data) ?? false;
  }

  /** Ends one connection once it has what was sent to it. Does nothing if there is none of that id. */
  async disconnect(id: number): Promise<void> {
    await this.#connections.get(id)?.close({ type: "local", why: "disconnected" });
  }

  /** What is known of a connection; undefined if there is none of that id. */
  info(id: number): TcpConnectionInfo | undefined {
    const connection = this.#connections.get(id);
    return connection && connectionInfo(connection, this.#clock);
  }

  /** Stops accepting until {@linkcode TcpServer.resume}; see {@linkcode Listener.suspend}. Does nothing while it does not listen. */
  suspend(): void {
    this.#listener?.suspend();
  }

  /** Accepts again, those first who have come meanwhile. */
  resume(): void {
    this.#listener?.resume();
  }

  /** Stops accepting, ends every connection in order, and waits for that. It may listen again afterwards. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    await listener?.shutdown();
    if (this.#listener === listener) this.#listener = undefined;
  }

  async #serve(connection: Connection<Frame>, callbacks: TcpServerCallbacks<Frame>): Promise<void> {
    const { id } = connection;
    this.#connections.set(id, connection);
    await deliver(connection, {
      connected: () => callbacks.connected?.(id),
      data: (frame) => callbacks.data?.(id, frame),
      disconnected: (reason) => {
        this.#connections.delete(id);
        callbacks.disconnected?.(id, reason);
      },
      error: (error) => callbacks.error(error, id),
    });
  }
}

/** Connecting, with a timeout and errors by kind. @module */
import type { Codec } from "./codecs/codec.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions, ConnectionTimeouts, LineLimits } from "./connection/options.ts";
import { ConnectionSettings } from "./connection/settings.ts";
import { ConnectError, TlsError } from "./errors.ts";
import { lineCodecWithin } from "./codecs/line_codec.ts";
import { dialBySignal } from "./dial_by_signal.ts";
import {
  type Address,
  type ConnectReceiver,
  formatAddress,
  type Network,
  type NetworkLayer,
  type PendingConnect,
  type Transport,
} from "./network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { systemClock, systemNetwork } from "./tcp.ts";

/** Timeouts of connecting, in ms. */
export interface DialTimeouts {
  /** Maximum time until the connection is open; 0 leaves it to the OS. Default 10,000. */
  connect?: number;
}

/** The target of a connection, and how to reach it. */
export interface Dial {
  /** Host name or IP address. Default `127.0.0.1`. */
  hostname?: string;
  /** The port. */
  port: number;
  /** Longest waits. */
  timeouts?: DialTimeouts;
  /** Cancels connecting. It has no effect once the connection is open. */
  signal?: AbortSignal;
  /** TLS for the connection: a `ClientTls` of `@okline/okline/tls`. Default: none. */
  tls?: NetworkLayer;
  /** The network, below `tls`. Default: TCP sockets of the OS. */
  network?: Network;
}

/** Timeouts of {@linkcode connect}, in ms. */
export interface ConnectTimeouts extends DialTimeouts, ConnectionTimeouts {}

/** Options of {@linkcode connect} for any frames, in addition to {@linkcode ConnectionOptions}. */
export interface ConnectOptions<Frame = string>
  extends Dial, Omit<ConnectionOptions<Frame>, "codec" | "clock" | "total" | "onClosed" | "timeouts"> {
  /** Longest waits: until the connection is open, and for the peer. */
  timeouts?: ConnectTimeouts;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** Options of {@linkcode connect} for lines. */
export interface LineConnectOptions extends ConnectOptions<string> {
  /** Not set: the frames are lines. */
  codec?: undefined;
  /** Limits of the connection and its lines. */
  limits?: LineLimits;
}

/** Options of {@linkcode connect} for frames of another codec. */
export interface FrameConnectOptions<Frame> extends ConnectOptions<Frame> {
  /** The codec that makes frames of bytes. */
  codec: Codec<Frame>;
}

const CONNECT_TIMEOUT = 10_000;

/**
 * Connects to a server.
 *
 * @returns An open connection, of lines unless `codec` is given.
 * @throws {ConnectError} With the `code` `timeout`, `refused`, `unreachable`, `exhausted` (this side has no free
 * descriptor or port), `tls`, or `other`. Its `cause` is the error of the OS.
 * @throws The reason of the signal, if it aborts first.
 *
 * @example A request and its answer
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen({ port: 0 });
 * server.serve(async (peer) => {
 *   for await (const line of peer) peer.send(line.toUpperCase());
 * });
 *
 * await using client = await connect({ hostname: "127.0.0.1", port: server.port });
 * client.send("hello");
 * for await (const line of client) {
 *   assertEquals(line, "HELLO");
 *   break;
 * }
 * ```
 *
 * @example An error
 * ```ts
 * import { connect, ConnectError } from "@okline/okline/socket";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => connect({ port: 1 }), ConnectError, "refused");
 * ```
 */
export function connect(options: LineConnectOptions): Promise<Connection<string>>;
/** Connects with another codec than lines. */
export function connect<Frame>(options: FrameConnectOptions<Frame>): Promise<Connection<Frame>>;
// Async, so that an option that cannot be used rejects, too.
export async function connect<Frame>(
  options: FrameConnectOptions<Frame> | LineConnectOptions,
): Promise<Connection<Frame> | Connection<string>> {
  const { clock = systemClock } = options;
  if (options.codec !== undefined) {
    return await new ConnectAttempt(options, new ConnectionSettings({ ...options, clock })).opened;
  }
  const codec = lineCodecWithin(options.limits);
  return await new ConnectAttempt(options, new ConnectionSettings({ ...options, codec, clock })).opened;
}

/** Receives the result of a {@linkcode ConnectRequest}: one call, now or later, unless the request is canceled. */
export interface ConnectionReceiver<Frame> {
  /** The connection is open. */
  opened(connection: Connection<Frame>): void;
  /** It could not be opened; `reason` is what {@linkcode connect} rejects with. */
  notOpened(reason: unknown): void;
}

/** One attempt to connect, with settings that many connections may share, and without a promise. */
export class ConnectRequest<Frame> implements ConnectReceiver {
  readonly #dial: Dial;
  readonly #target: Address;
  readonly #settings: ConnectionSettings<Frame>;
  readonly #receiver: ConnectionReceiver<Frame>;
  #onAbort: (() => void) | undefined;
  #late: Timer | undefined;
  #pending: PendingConnect | undefined;
  #settled = false;

  constructor(dial: Dial, settings: ConnectionSettings<Frame>, receiver: ConnectionReceiver<Frame>) {
    const { hostname = "127.0.0.1", port } = dial;
    this.#dial = dial;
    this.#target = { hostname, port };
    this.#settings = settings;
    this.#receiver = receiver;
  }

  /** Begins to connect; once only. */
  begin(): void {
    const { network = systemNetwork, signal, timeouts, tls } = this.#dial;
    const { clock } = this.#settings;
    if (signal !== undefined) {
      if (signal.aborted) return this.cancel(signal.reason);
      this.#onAbort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    const ms = timeouts?.connect ?? CONNECT_TIMEOUT;
    if (ms > 0) this.#late = clock.after(ms, () => this.timeOut(ms));
    try {
      const secured = tls?.over(network, clock) ?? network;
      this.#pending = secured.dial?.(this.#target, this) ?? dialBySignal(secured, this.#target, this);
    } catch (cause) {
      if (this.#settled) throw cause; // The receiver's own error, from within the call.
      this.connectFailed(cause);
    }
  }

  /** Gives up, and reports `reason`. Does nothing if it has settled. */
  cancel(reason: unknown): void {
    if (!this.#settle()) return;
    this.#pending?.cancel();
    this.#receiver.notOpened(reason);
  }

  /** Gives up because `ms` have passed. */
  timeOut(ms: number): void {
    const target = formatAddress(this.#target);
    this.cancel(new ConnectError("timeout", `Cannot connect to ${target}: timeout after ${ms} ms`));
  }

  /** Called by the network. */
  connected(transport: Transport): void {
    if (!this.#settle()) return;
    let connection: Connection<Frame>;
    try {
      connection = new Connection(transport, this.#settings);
    } catch (error) {
      // The codec threw. Without this, the socket would stay open, and the receiver would wait.
      transport.close();
      return this.#receiver.notOpened(error);
    }
    this.#receiver.opened(connection);
  }

  /** Called by the network. */
  connectFailed(cause: unknown): void {
    if (!this.#settle()) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = sortConnectError(cause);
    const shown = code === "other" || code === "tls" ? why : code;
    const target = formatAddress(this.#target);
    this.#receiver.notOpened(new ConnectError(code, `Cannot connect to ${target}: ${shown}`, { cause }));
  }

  /** Returns `false` if it has settled before. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#late?.cancel();
    if (this.#onAbort !== undefined) this.#dial.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/** One attempt to connect, with a promise. It begins when it is created. */
export class ConnectAttempt<Frame> extends ConnectRequest<Frame> {
  /** Resolves to the open connection, or rejects as {@linkcode connect} does. */
  readonly opened: Promise<Connection<Frame>>;

  constructor(dial: Dial, settings: ConnectionSettings<Frame>) {
    const { promise, resolve, reject } = Promise.withResolvers<Connection<Frame>>();
    super(dial, settings, { opened: resolve, notOpened: reject });
    this.opened = promise;
    this.begin();
  }
}

/** Returns the code for an error of the OS. */
export function sortConnectError(error: unknown): ConnectError["code"] {
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  if (error instanceof TlsError) return "tls";
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "ETIMEDOUT":
      return "timeout";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "unreachable";
    case "EMFILE":
    case "ENFILE":
    case "EADDRNOTAVAIL": // Every local port for that target is in use.
      return "exhausted";
    default:
      return "other";
  }
}

/** Connecting, with a timeout and errors by kind. @module */
import type { Codec } from "./codecs/codec.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions, ConnectionTimeouts, LineLimits } from "./connection_options.ts";
import { ConnectionSettings } from "./connection_settings.ts";
import { ConnectError, TlsError } from "./errors.ts";
import { lineCodecWithin } from "./codecs/line_codec.ts";
import { formatAddress, type Network, type NetworkLayer, type Transport } from "./network.ts";
import { type Clock } from "../internal/clock.ts";
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
export async function connect<Frame>(
  options: FrameConnectOptions<Frame> | LineConnectOptions,
): Promise<Connection<Frame> | Connection<string>> {
  if (options.codec !== undefined) return await open(options);
  return await open({ ...options, codec: lineCodecWithin(options.limits) });
}

async function open<Frame>(options: FrameConnectOptions<Frame>): Promise<Connection<Frame>> {
  const clock = options.clock ?? systemClock;
  return new Connection(await dial(options, clock), new ConnectionSettings({ ...options, clock }));
}

async function dial(options: Dial, clock: Clock): Promise<Transport> {
  const { hostname = "127.0.0.1", port, network = systemNetwork, signal } = options;
  const timeout = options.timeouts?.connect ?? CONNECT_TIMEOUT;
  signal?.throwIfAborted();
  const giveUp = new AbortController();
  const target = formatAddress({ hostname, port });
  const late = () =>
    giveUp.abort(new ConnectError("timeout", `Cannot connect to ${target}: timeout after ${timeout} ms`));
  const timer = timeout > 0 ? clock.after(timeout, late) : undefined;
  const aborted = () => giveUp.abort(signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    const secured = options.tls?.over(network, clock) ?? network;
    return await secured.connect({ hostname, port, signal: giveUp.signal });
  } catch (cause) {
    if (giveUp.signal.aborted) throw giveUp.signal.reason;
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = sortConnectError(cause);
    const shown = code === "other" || code === "tls" ? why : code;
    throw new ConnectError(code, `Cannot connect to ${target}: ${shown}`, { cause });
  } finally {
    timer?.cancel();
    signal?.removeEventListener("abort", aborted);
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

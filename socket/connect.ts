/** Dialling, with a timeout and errors by kind. @module */
import type { Codec } from "./codecs/codec.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { ConnectError, TlsError } from "./errors.ts";
import { lineCodec } from "./codecs/line_codec.ts";
import { formatAddress, type Network, type Transport } from "./network.ts";
import { type Clock } from "../internal/clock.ts";
import { systemClock, systemNetwork } from "./tcp.ts";

/** Whom to dial, and for how long. */
export interface Dial {
  /** Name or address. Default `127.0.0.1`. */
  hostname?: string;
  port: number;
  /** Longest time in ms until the connection stands; 0 for as long as the system tries. Default 10,000. */
  timeout?: number;
  /** Gives up dialling; once the connection stands it means nothing any more. */
  signal?: AbortSignal;
  network?: Network;
}

/** Whom to dial, and how; the rest as in {@linkcode ConnectionOptions}. */
export interface ConnectOptions<Frame = string>
  extends Dial, Omit<ConnectionOptions<Frame>, "codec" | "clock" | "total" | "onClosed"> {
  clock?: Clock;
}

/** Options of {@linkcode connect} for lines. */
export interface LineConnectOptions extends ConnectOptions<string> {
  codec?: undefined;
  /** Most bytes of a received line. Default 64 KiB. */
  maxLine?: number;
}

/** Options of {@linkcode connect} for frames of another codec. */
export interface FrameConnectOptions<Frame> extends ConnectOptions<Frame> {
  codec: Codec<Frame>;
}

const TIMEOUT = 10_000;

/**
 * Dials.
 *
 * @returns The connection, standing.
 * @throws {ConnectError} With a `code`: `timeout`, `refused`, `unreachable`, `exhausted` (no descriptor or port is
 * left on this side), `tls`, `other`; its `cause` is what the system said.
 * @throws The signal's reason, when it aborts first.
 *
 * @example
 * ```ts
 * import { connect, ConnectError } from "@okline/okline/socket";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => connect({ port: 1 }), ConnectError, "refused");
 * ```
 */
export function connect(options: LineConnectOptions): Promise<Connection<string>>;
export function connect<Frame>(options: FrameConnectOptions<Frame>): Promise<Connection<Frame>>;
export async function connect<Frame>(
  options: FrameConnectOptions<Frame> | LineConnectOptions,
): Promise<Connection<Frame> | Connection<string>> {
  if (options.codec !== undefined) return await open(options);
  return await open({ ...options, codec: lineCodec(options) });
}

async function open<Frame>(options: FrameConnectOptions<Frame>): Promise<Connection<Frame>> {
  const clock = options.clock ?? systemClock;
  return new Connection(await dial(options, clock), { ...options, clock });
}

async function dial(options: Dial, clock: Clock): Promise<Transport> {
  const { hostname = "127.0.0.1", port, timeout = TIMEOUT, network = systemNetwork, signal } = options;
  signal?.throwIfAborted();
  const giveUp = new AbortController();
  const target = formatAddress({ hostname, port });
  const late = () =>
    giveUp.abort(new ConnectError("timeout", `Cannot connect to ${target}: timeout after ${timeout} ms`));
  const timer = timeout > 0 ? clock.after(timeout, late) : undefined;
  const aborted = () => giveUp.abort(signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    return await network.connect({ hostname, port, signal: giveUp.signal });
  } catch (cause) {
    if (giveUp.signal.aborted) throw giveUp.signal.reason;
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = sortConnectError(cause);
    const told = code === "other" || code === "tls" ? why : code;
    throw new ConnectError(code, `Cannot connect to ${target}: ${told}`, { cause });
  } finally {
    timer?.cancel();
    signal?.removeEventListener("abort", aborted);
  }
}

/** Sorts what the system said when dialling failed. */
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
    case "EADDRNOTAVAIL": // Every port of this side's address towards that target is taken.
      return "exhausted";
    default:
      return "other";
  }
}

/**
 * The interface between the library and the machine: bytes of sockets ({@linkcode Network}), time ({@linkcode Clock}), and
 * randomness ({@linkcode Random}). Code in `socket/` and `relay/` receives them as options, so the same server and client
 * run on real sockets, and in memory as a simulation that replays from a seed. Pure.
 *
 * @module
 */
import type { Clock } from "../internal/clock.ts";

/** The address of a socket: an IP address (or a name, to connect to) and a TCP port; or `unix:/path` and port 0. */
export interface Address {
  /** The host name or IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** Receives the result of one read by a call instead of a promise. */
export interface Receiver {
  /** Takes at least one byte; the memory is valid only during the call. */
  received(bytes: Uint8Array): void;
  /** The peer has sent its FIN. */
  receivedEnd(): void;
  /** The read has failed. */
  receiveFailed(cause: unknown): void;
}

/** Receives the result of {@linkcode Transport.writeSoon}. */
export interface WriteReceiver {
  /** The socket has taken `count` bytes, all but `rest`, whose memory is valid only during the call. */
  written(count: number, rest: Uint8Array): void;
  /** The write has failed. */
  writeFailed(cause: unknown): void;
}

/** The bytes of one socket. At most one `read` and one `write` may be pending at a time. */
export interface Transport {
  /** The address of this side. */
  readonly local: Address;
  /** The address of the peer. */
  readonly remote: Address;
  /** Settles when the peer can be served, as after a TLS handshake. Absent if it can be served from the start. */
  readonly ready?: Promise<unknown> | undefined;
  /** Reads into `into`, which is never empty. Returns the number of bytes, or `null` at the peer's FIN. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at least one byte of `bytes`, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Reads like `read`, but into memory that all connections share, and calls the receiver once, later, or never after
   * `close`. A connection that waits for its peer then holds no buffer and no promise.
   * Optional: use `read` if it is absent. Throws what `read` rejects with if the read cannot begin.
   */
  receive?(receiver: Receiver): void;
  /**
   * Writes as many of the first `length` bytes as the socket takes immediately, and returns how many: fewer than all, or
   * 0, if its buffer is full. Optional: use `write` if it is absent. Throws what `write` rejects with.
   *
   * @param finFollows Whether FIN is sent next if the socket takes everything: then both may share a packet. Default `false`.
   */
  writeNow?(bytes: Uint8Array, length: number, finFollows?: boolean): number;
  /**
   * Copies the first `length` bytes, to write them at the end of this turn of the event loop together with those of other
   * connections: many writes in one call of the system cost less. Calls the receiver once at that time, or never after `close`.
   * Returns `false` if it is better to write them now, for example because few connections are busy. Optional: use
   * `writeNow` if it is absent. Throws what `write` rejects with.
   *
   * @param finFollows Whether FIN is sent next if the socket takes everything: then both may share a packet. Default `false`.
   */
  writeSoon?(bytes: Uint8Array, length: number, receiver: WriteReceiver, finFollows?: boolean): boolean;
  /** Sends FIN; reading goes on. Safe to repeat. */
  closeWrite(): Promise<void>;
  /** Does the same within the call. Optional: use `closeWrite` if it is absent. Throws what that rejects with. */
  closeWriteNow?(): void;
  /** Closes both directions immediately; a pending read or write rejects. Safe to repeat. */
  close(): void;
  /** Closes with a reset instead of a FIN. Optional: Deno's sockets cannot. */
  reset?(): void;
}

/** A bound socket that accepts. */
export interface TransportListener {
  /** The address that is bound. */
  readonly address: Address;
  /** Waits for the next peer. Rejects with the error of the OS, or with `Deno.errors.BadResource` after `close`. */
  accept(): Promise<Transport>;
  /**
   * Accepts a peer that is there already. Optional: a promise for each of many peers that come together would cost more than
   * accepting them. Returns `undefined` when it is time to wait in `accept`, and throws what that rejects with.
   */
  acceptNow?(): Transport | undefined;
  /** Unbinds; peers that were not accepted are reset. Safe to repeat. */
  close(): void;
}

/** Options for {@linkcode Network.listen}. */
export interface BindOptions {
  /** Address to bind. Default `127.0.0.1`. */
  hostname?: string;
  /** Port; with 0, the OS picks one. */
  port: number;
  /** Share the port with other processes that also ask for it. Default `false`. */
  reusePort?: boolean;
}

/** Options for {@linkcode Network.connect}. */
export interface DialOptions {
  /** Host name or IP address. Default `127.0.0.1`. */
  hostname?: string;
  /** The port. */
  port: number;
  /** Cancels dialing. `connect` then rejects with its reason. */
  signal?: AbortSignal;
}

/** Receives the result of connecting by a call instead of a promise. */
export interface ConnectReceiver {
  /** The connection is open. */
  connected(transport: Transport): void;
  /** It cannot be opened; `cause` is what `connect` rejects with. */
  connectFailed(cause: unknown): void;
}

/** An attempt to connect. */
export interface PendingConnect {
  /** Gives up: the receiver is not called anymore. Does nothing if it was called. */
  cancel(): void;
}

/** Sockets: of the OS, over TLS, or in memory. */
export interface Network {
  /** Binds an address. */
  listen(options: BindOptions): TransportListener;
  /** Opens a connection. */
  connect(options: DialOptions): Promise<Transport>;
  /**
   * Connects like `connect`, but calls the receiver once, now or later. A client that waits for its server then holds no
   * promise and no signal, which are half of what connecting costs. Optional: use `connect` if it is absent.
   */
  dial?(options: Omit<DialOptions, "signal">, receiver: ConnectReceiver): PendingConnect;
}

/** A protocol between sockets and frames, such as TLS: `ServerTls` and `ClientTls` of `@okline/okline/tls`. */
export interface NetworkLayer {
  /** Returns a network that passes its bytes through this layer to another network. */
  over(network: Network, clock: Clock): Network;
}

const UNIX = "unix:";

/** Returns the path of a Unix socket's address, `/path` in `unix:/path`, or `undefined` for any other host. */
export function unixPath(hostname: string): string | undefined {
  return hostname.startsWith(UNIX) ? hostname.slice(UNIX.length) : undefined;
}

/** Returns the address of the Unix socket at a path. */
export function unixAddress(path: string): Address {
  return { hostname: UNIX + path, port: 0 };
}

/**
 * Formats an address: `127.0.0.1:8000`, `[::1]:8000` for IPv6, or `unix:/path`.
 *
 * @example
 * ```ts
 * import { formatAddress } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatAddress({ hostname: "::1", port: 8000 }), "[::1]:8000");
 * ```
 */
export function formatAddress(address: Address): string {
  if (unixPath(address.hostname) !== undefined) return address.hostname;
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

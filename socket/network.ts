/**
 * The seam between okline and the machine: bytes of sockets ({@linkcode Network}), time ({@linkcode Clock}) and
 * chance ({@linkcode Random}). Everything in `socket/` and `relay/` gets them handed in, so that the same server
 * and client run on real sockets and, replayable from a seed, on sockets in memory. Pure.
 *
 * @module
 */
import type { Clock } from "../internal/clock.ts";

/** Address of a socket: an IP address (or a name, to connect to) and a TCP port; or `unix:/path` and port 0. */
export interface Address {
  /** The host name or IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** Takes what one read gives, as a call instead of a promise. */
export interface Receiver {
  /** Takes at least one byte; the memory is valid only during the call. */
  received(bytes: Uint8Array): void;
  /** The peer has sent its FIN. */
  receivedEnd(): void;
  /** The read has failed. */
  receiveFailed(cause: unknown): void;
}

/** The bytes of one socket. At most one `read` and one `write` may be under way at a time. */
export interface Transport {
  /** The address of this side. */
  readonly local: Address;
  /** The address of the peer. */
  readonly remote: Address;
  /** Settles when the peer is one that may be served, as after a TLS handshake. Absent where it is from the start. */
  readonly ready?: Promise<unknown> | undefined;
  /** Reads into `into` (never empty) and gives the count of bytes, or `null` at the peer's FIN. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at least one byte of `bytes` and gives how many; may be partial. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Reads as `read` does, but into memory that all connections share, and calls the receiver once, later, and not at all
   * after `close`. A connection that waits for its peer then holds no buffer and no promise.
   * Optional: use `read` if it is absent. Throws what `read` rejects with if the read cannot begin.
   */
  receive?(receiver: Receiver): void;
  /**
   * Writes as many of the first `length` bytes as the socket takes immediately, and returns how many: fewer than all, or
   * 0, if its buffer is full. Optional: use `write` if it is absent. Throws what `write` rejects with.
   */
  writeNow?(bytes: Uint8Array, length: number): number;
  /** Sends FIN; reading goes on. Safe to repeat. */
  closeWrite(): Promise<void>;
  /** Closes both ways at once; a pending read or write rejects. Safe to repeat. */
  close(): void;
  /** Closes with a reset instead of a FIN, where the kind of socket can: Deno's cannot. */
  reset?(): void;
}

/** A bound socket that accepts. */
export interface TransportListener {
  /** The address that is bound. */
  readonly address: Address;
  /** Waits for the next peer. Rejects with what the system said; after `close`, with `Deno.errors.BadResource`. */
  accept(): Promise<Transport>;
  /** Unbinds; peers that were not accepted are reset. Safe to repeat. */
  close(): void;
}

/** What {@linkcode Network.listen} needs. */
export interface BindOptions {
  /** Address to bind. Default `127.0.0.1`. */
  hostname?: string;
  /** Port; 0 lets the system pick one. */
  port: number;
  /** Share the port with other processes that also ask for it. Default `false`. */
  reusePort?: boolean;
}

/** What {@linkcode Network.connect} needs. */
export interface DialOptions {
  /** Default `127.0.0.1`. */
  hostname?: string;
  /** The port. */
  port: number;
  /** Gives up dialing, with the signal's reason. */
  signal?: AbortSignal;
}

/** Sockets: the real ones, TLS, or those in memory. */
export interface Network {
  /** Binds an address. */
  listen(options: BindOptions): TransportListener;
  /** Opens a connection. */
  connect(options: DialOptions): Promise<Transport>;
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

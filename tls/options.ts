/** TLS options of servers and clients. @module */
import type { Identity } from "./certificate.ts";
import type { Clock } from "../internal/clock.ts";

/** The oldest accepted version of TLS. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** The default minimum version. */
export const MIN_VERSION: TlsVersion = "TLSv1.2";

/** Describes the versions from a minimum on, for messages. */
export function versionsFrom(minVersion: TlsVersion): string {
  return minVersion === "TLSv1.3" ? "TLS 1.3" : "TLS 1.2 or TLS 1.3";
}

/** TLS options of a server. */
export interface TlsServerOptions {
  /** Certificate and key of the server. */
  identity: Identity;
  /**
   * Certificates and keys for clients that request one of these names (SNI). `*.example.org` matches every name with one
   * more label. Default: `identity` for every name.
   */
  hosts?: Readonly<Record<string, Identity>>;
  /** Authorities (PEM) that must have issued a client's certificate. Default: clients need no certificate. */
  clientCa?: string;
  /** ALPN protocols in order of preference. A client that offers only other protocols is refused. Default: none. */
  alpn?: readonly string[];
  /**
   * Formats the message for a client that is refused because it speaks plain text, which is sent in plain text, or because
   * of its certificate. Default: a line `error REASON`. If it throws, the client receives no message, and its `TlsError` has
   * what was thrown as `cause`.
   */
  notice?: (why: string) => string;
  /** The oldest accepted version. Default: `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** TLS options of a client. */
export interface TlsClientOptions {
  /** Authorities (PEM) to trust. Default: those of the runtime. */
  ca?: string;
  /** The name that the server's certificate must contain. Default: the host that is dialed. */
  serverName?: string;
  /** Certificate and key of the client, for servers that require one. */
  identity?: Identity;
  /** Protocols to offer by ALPN, in order of preference. */
  alpn?: readonly string[];
  /** The oldest accepted version. Default: `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** Options of a {@linkcode TlsNetwork}: `server` is needed to listen, and `client` only to change the defaults. */
export interface TlsOptions {
  /** Options for accepted connections. */
  server?: TlsServerOptions;
  /** Options for outgoing connections. */
  client?: TlsClientOptions;
  /** Longest time in ms for the handshake of an accepted connection; 0 disables the limit. Default: 10,000. */
  handshakeTimeout?: number;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** How TLS is to be spoken. @module */
import type { Identity } from "./certificate.ts";
import type { Clock } from "../internal/clock.ts";

/** The oldest version of TLS that is spoken. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** Where nothing else is asked for. */
export const MIN_VERSION: TlsVersion = "TLSv1.2";

/** The versions that are spoken from this one on, for people. */
export function versionsFrom(minVersion: TlsVersion): string {
  return minVersion === "TLSv1.3" ? "TLS 1.3" : "TLS 1.2 or TLS 1.3";
}

/** How a server speaks TLS. */
export interface TlsServerOptions {
  /** Who the server is. */
  identity: Identity;
  /**
   * Who it is to clients that ask for one of these names (SNI); `*.example.org` stands for every name with one label more.
   * Default: `identity` for every name.
   */
  hosts?: Readonly<Record<string, Identity>>;
  /** Authorities (PEM) of which a client must show a certificate. Default: clients show none. */
  clientCa?: string;
  /** Protocols offered by ALPN, the best first. A client that offers only others is refused. Default none. */
  alpn?: readonly string[];
  /**
   * Makes what a client is told that may not stay: it speaks plain text, and is told so in plain text, or its certificate
   * is refused. Default: a line, `error WHY`.
   */
  notice?: (why: string) => string;
  /** Default `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** How a client speaks TLS. */
export interface TlsClientOptions {
  /** Authorities (PEM) trusted to vouch for the server. Default: those that come with the runtime. */
  ca?: string;
  /** The name that the server's certificate must have. Default: the host that is dialed. */
  serverName?: string;
  /** Who the client is, where the server asks. */
  identity?: Identity;
  /** Protocols to offer by ALPN, in order of preference. */
  alpn?: readonly string[];
  /** Default `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** What a {@linkcode TlsNetwork} needs: `server` to listen, `client` to connect with anything but the defaults. */
export interface TlsOptions {
  /** Options for accepted connections. */
  server?: TlsServerOptions;
  /** Options for outgoing connections. */
  client?: TlsClientOptions;
  /** Longest time in ms for the handshake of an accepted connection; 0 for no bound. Default 10,000. */
  handshakeTimeout?: number;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

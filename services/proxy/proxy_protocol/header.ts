/** Contents of a PROXY protocol header. Pure. @module */
import type { Address } from "../../../socket/network.ts";

/** Version of the PROXY protocol: 1 is a line of text, 2 is binary. */
export type ProxyProtocolVersion = 1 | 2;

/** Both ends of the connection that a proxy accepted. */
export interface ProxiedEnds {
  readonly source: Address;
  readonly destination: Address;
}

/** An extension of version 2, not interpreted. */
export interface ProxyExtension {
  readonly type: number;
  readonly value: Uint8Array;
}

/** A parsed header. */
export interface ProxyHeader {
  readonly version: ProxyProtocolVersion;
  /**
   * The client's connection. Undefined for a connection of the proxy's own and for protocols other than TCP over IP. The
   * addresses of the socket apply then.
   */
  readonly ends: ProxiedEnds | undefined;
  /** Empty in version 1. */
  readonly extensions: readonly ProxyExtension[];
}

/** Malformed PROXY protocol header. The specification requires the receiver to close the connection. */
export class ProxyProtocolError extends Error {
  override readonly name = "ProxyProtocolError";
}

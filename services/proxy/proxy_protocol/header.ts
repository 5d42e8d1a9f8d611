/** What a PROXY protocol header says. Pure. @module */
import type { Address } from "../../../socket/network.ts";

/** 1 is a line of text, 2 is binary. */
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

/** One header, read. */
export interface ProxyHeader {
  readonly version: ProxyProtocolVersion;
  /** Whose connection it is; undefined if the proxy speaks for itself or the protocol is none of TCP over IP: then the socket's own ends count. */
  readonly ends: ProxiedEnds | undefined;
  /** Empty in version 1. */
  readonly extensions: readonly ProxyExtension[];
}

/** What came is no PROXY protocol header; the specification wants the connection dropped. */
export class ProxyProtocolError extends Error {
  override readonly name = "ProxyProtocolError";
}

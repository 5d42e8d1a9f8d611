/** PROXY protocol headers for backends, in either version. @module */
import ipaddr from "ipaddr.js";
import type { Address } from "../../../socket/network.ts";
import type { ProxiedEnds, ProxyProtocolVersion } from "./header.ts";
import { formatTextHeader } from "./v1.ts";
import { formatBinaryHeader, formatLocalHeader } from "./v2.ts";

/**
 * Returns the header that announces a client's connection to a backend, to be sent before its first byte.
 *
 * Of connections over Unix sockets, the backend learns only that they are proxied: a path means nothing on its machine.
 *
 * @param ends Undefined for a connection of the proxy's own.
 */
export function formatProxyHeader(version: ProxyProtocolVersion, ends: ProxiedEnds | undefined): Uint8Array {
  if (version === 2 && ends === undefined) return formatLocalHeader();
  const known = ends !== undefined && isIp(ends.source) && isIp(ends.destination) ? ends : undefined;
  return version === 1 ? formatTextHeader(known) : formatBinaryHeader(known);
}

/**
 * Returns the header that starts a connection of the proxy's own, as a health check is.
 *
 * Version 2 has the command LOCAL for it. In version 1 it is a line with the addresses of the connection itself, because
 * some servers reject `UNKNOWN` (specification, end of 2.1).
 *
 * @param own Addresses of the connection to the backend: the proxy's and the backend's.
 */
export function formatOwnHeader(version: ProxyProtocolVersion, own: ProxiedEnds): Uint8Array {
  return formatProxyHeader(version, version === 1 ? own : undefined);
}

function isIp({ hostname }: Address): boolean {
  return ipaddr.isValid(hostname);
}

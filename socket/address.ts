/** Parses hosts, ports, and `HOST:PORT`; `formatAddress` in `network.ts` is the inverse. Pure. @module */
import { type Address, unixAddress, unixPath } from "./network.ts";
import { quoted } from "../internal/printable.ts";

const NAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;
const IPV4_LIKE = /^[\d.]+$/;
const DIGITS = /^\d{1,5}$/;

/** The input of {@linkcode parseHost}, for help and errors. */
export const HOST_NOTATION = "an IP address, a host name, or unix:/path";

/** The input of {@linkcode parseAddress}, for help and errors. */
export const ADDRESS_NOTATION =
  "HOST:PORT, an IPv6 host in brackets, or unix:/path, as in 127.0.0.1:8000 or [::1]:8000";

/** The input of {@linkcode parseNetwork}, for help and errors. */
export const NETWORK_NOTATION = "an IP address, or a network as in 10.0.0.0/8 or fd00::/8";

/** Options for {@linkcode parsePort} and {@linkcode parseAddress}. */
export interface PortOptions {
  /** 0 to listen, where the OS can pick the port; 1 to connect. Default 0. */
  readonly minPort?: 0 | 1;
}

/**
 * Parses a host: an IPv4 address, an IPv6 address with or without brackets, a name, or `unix:/path`.
 *
 * @returns The host without brackets.
 * @throws {RangeError} If `text` has another form.
 */
export function parseHost(text: string): string {
  if (isUnix(text)) return text;
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined ? isIpv6(bare) : isIpv6(text) || isName(text)) return bare ?? text;
  throw new RangeError(`Expected ${HOST_NOTATION}, got ${quoted(text)}`);
}

/**
 * Parses a TCP or UDP port.
 *
 * @throws {RangeError} If `text` is not an integer from `minPort` to 65535.
 */
export function parsePort(text: string, options: PortOptions = {}): number {
  const { minPort = 0 } = options;
  const port = DIGITS.test(text) ? Number(text) : NaN;
  if (port >= minPort && port <= 65_535) return port;
  throw new RangeError(`Expected a port from ${minPort} to 65535, got ${quoted(text)}`);
}

/**
 * Parses `HOST:PORT`, an IPv6 host in brackets, or `unix:/path`, whose port is 0.
 *
 * @throws {RangeError} If `text` has another form.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("[::1]:8000"), { hostname: "::1", port: 8000 });
 * ```
 */
export function parseAddress(text: string, options: PortOptions = {}): Address {
  if (isUnix(text)) return unixAddress(unixPath(text)!);
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon);
  const bracketed = host.startsWith("[");
  const valid = bracketed ? host.endsWith("]") && isIpv6(host.slice(1, -1)) : isName(host);
  if (colon === -1 || !valid) throw new RangeError(`Expected ${ADDRESS_NOTATION}, got ${quoted(text)}`);
  return { hostname: bracketed ? host.slice(1, -1) : host, port: parsePort(text.slice(colon + 1), options) };
}

/**
 * Checks an IP address, or a network in CIDR notation.
 *
 * @returns The text unchanged.
 * @throws {RangeError} If `text` is neither.
 */
export function parseNetwork(text: string): string {
  const [, host = "", bits = "0"] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (isIpv4(host) && Number(bits) <= 32 || isIpv6(host) && Number(bits) <= 128) return text;
  throw new RangeError(`Expected ${NETWORK_NOTATION}, got ${quoted(text)}`);
}

// The kernel stores the path of a socket in 108 bytes, including a final NUL.
const MAX_UNIX_PATH = 107;

function isUnix(text: string): boolean {
  const path = unixPath(text);
  return path !== undefined && path !== "" && !path.includes("\0") &&
    new TextEncoder().encode(path).length <= MAX_UNIX_PATH;
}

function isIpv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}

function isName(text: string): boolean {
  // A name of only digits and dots counts as an IPv4 address everywhere, so it must be a complete one.
  if (IPV4_LIKE.test(text)) return isIpv4(text);
  return text.length <= 253 && NAME.test(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

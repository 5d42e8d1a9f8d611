/** `struct sockaddr_in`, `sockaddr_in6`, and `sockaddr_un` as bytes. Pure. @module */
import { type Address, unixAddress, unixPath } from "../socket/network.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./abi.ts";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "./ip_address.ts";

/** Bytes that hold any of these addresses (`struct sockaddr_storage`). */
export const MAX_SOCKET_ADDRESS = 128;

// `sun_path` has 108 bytes with its final NUL.
const MAX_PATH = 107;
const PATH_AT = 2;

/** An address as the kernel takes it. */
export interface SocketAddress {
  readonly family: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Encodes an address whose host is an IP address or `unix:/path`; an IPv6 address may have a numeric scope, as in
 * `fe80::1%2`.
 *
 * @returns The address, or `undefined` for a host name, which must be resolved first.
 * @throws {RangeError} If the port is not from 0 to 65535, or the path is empty, has a NUL or over 107 bytes.
 */
export function encodeSocketAddress(address: Address): SocketAddress | undefined {
  const { hostname, port } = address;
  const path = unixPath(hostname);
  if (path !== undefined) return encodePath(path);
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new RangeError(`Cannot use port ${port}: expected an integer from 0 to 65535`);
  }
  const v4 = parseIpv4(hostname);
  if (v4 !== undefined) {
    const bytes = withHeader(16, AF_INET, port);
    bytes.set(v4, 4);
    return { family: AF_INET, bytes };
  }
  const [, host = "", scope = "0"] = /^([^%]*)(?:%(\d{1,10}))?$/.exec(hostname) ?? [];
  const v6 = parseIpv6(host);
  if (v6 === undefined) return undefined;
  const bytes = withHeader(28, AF_INET6, port);
  bytes.set(v6, 8);
  new DataView(bytes.buffer).setUint32(24, Number(scope), true);
  return { family: AF_INET6, bytes };
}

/** Returns a copy of an IPv4 or IPv6 address with another port. */
export function withPort({ family, bytes }: SocketAddress, port: number): SocketAddress {
  const copy = bytes.slice();
  copy[2] = port >> 8;
  copy[3] = port & 0xff;
  return { family, bytes: copy };
}

/**
 * Decodes the first `length` bytes of an address that the kernel wrote. A Unix socket without a name has the path "".
 *
 * @throws {TypeError} If its family is unknown, or it is cut short.
 */
export function decodeSocketAddress(bytes: Uint8Array, length: number): Address {
  const family = length >= PATH_AT ? bytes[0]! | bytes[1]! << 8 : -1;
  if (family === AF_INET && length >= 16) return { hostname: ipv4HostnameOf(bytes), port: portOf(bytes) };
  if (family === AF_INET6 && length >= 28) {
    const scope = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
    const hostname = formatIpv6(bytes, 8);
    return { hostname: scope === 0 ? hostname : `${hostname}%${scope}`, port: portOf(bytes) };
  }
  if (family === AF_UNIX) {
    const path = bytes.subarray(PATH_AT, length);
    const end = path.indexOf(0);
    return unixAddress(new TextDecoder().decode(end < 0 ? path : path.subarray(0, end)));
  }
  throw new TypeError(`Cannot decode a socket address of family ${family} and ${length} bytes`);
}

function encodePath(path: string): SocketAddress {
  const text = new TextEncoder().encode(path);
  if (text.length === 0 || text.length > MAX_PATH || text.includes(0)) {
    throw new RangeError(
      `Cannot use Unix socket path ${JSON.stringify(path)}: expected 1 to ${MAX_PATH} bytes without NUL`,
    );
  }
  const bytes = new Uint8Array(PATH_AT + text.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(text, PATH_AT);
  return { family: AF_UNIX, bytes };
}

function withHeader(size: number, family: number, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes[0] = family;
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  return bytes;
}

/** The IPv4 address that was decoded last, as a number and as text. */
let [lastIpv4, lastIpv4Hostname] = [0, "0.0.0.0"];

/** Connections in a row often have the same address: then they share one string. */
function ipv4HostnameOf(bytes: Uint8Array): string {
  const ip = bytes[4]! << 24 | bytes[5]! << 16 | bytes[6]! << 8 | bytes[7]!;
  if (ip !== lastIpv4) [lastIpv4, lastIpv4Hostname] = [ip, formatIpv4(bytes, 4)];
  return lastIpv4Hostname;
}

function portOf(bytes: Uint8Array): number {
  return bytes[2]! << 8 | bytes[3]!;
}

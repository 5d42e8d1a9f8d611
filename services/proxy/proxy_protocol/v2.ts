/** Version 2 of the PROXY protocol: binary, with extensions. @module */
import ipaddr from "ipaddr.js";
import { plural } from "../../../internal/plural.ts";
import { crc32c } from "./crc32c.ts";
import { type ProxiedEnds, type ProxyExtension, type ProxyHeader, ProxyProtocolError } from "./header.ts";

/** First bytes of a version 2 header. The protocol chose them so that servers of text protocols reject them. */
export const BINARY_SIGNATURE: Uint8Array = new TextEncoder().encode("\r\n\r\n\0\r\nQUIT\n");
/** Length in bytes of the part before the addresses: signature, version and command, family, length. */
export const BINARY_PREFIX = 16;

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;
const CHECKSUM = 0x03;
/** Length of the addresses in bytes by family, the high half of byte 13: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const;

/** Returns the length in bytes of the whole header, from its first 16. */
export function binaryHeaderLength(prefix: Uint8Array): number {
  return BINARY_PREFIX + readUint16(prefix, 14);
}

/**
 * Parses a whole header.
 *
 * @throws {ProxyProtocolError} If the header is malformed, or its checksum is wrong.
 */
export function parseBinaryHeader(bytes: Uint8Array): ProxyHeader {
  const command = bytes[12]!;
  const family = bytes[13]!;
  if (command !== LOCAL && command !== PROXY) {
    throw new ProxyProtocolError(`Header's version and command are unknown: 0x${command.toString(16)}`);
  }
  // The specification requires that LOCAL is accepted with any family.
  if (command === LOCAL) return { version: 2, ends: undefined, extensions: [] };
  const addressBytes = ADDRESS_BYTES[family >> 4];
  if (addressBytes === undefined || (family & 0x0f) > 2) {
    throw new ProxyProtocolError(`Header's address family is unknown: 0x${family.toString(16)}`);
  }
  // Without a family, the end of the addresses and the start of the extensions are undefined.
  if (addressBytes === 0) return { version: 2, ends: undefined, extensions: [] };
  if (bytes.length < BINARY_PREFIX + addressBytes) {
    throw new ProxyProtocolError(
      `Header's addresses take ${plural(addressBytes, "byte")}, but its length is less`,
    );
  }
  const extensions = parseExtensions(bytes, BINARY_PREFIX + addressBytes);
  const ends = family === TCP4 ? readEnds(bytes, 4) : family === TCP6 ? readEnds(bytes, 16) : undefined;
  return { version: 2, ends, extensions };
}

function parseExtensions(bytes: Uint8Array, start: number): ProxyExtension[] {
  const extensions: ProxyExtension[] = [];
  for (let at = start; at < bytes.length;) {
    const end = at + 3 + (at + 3 <= bytes.length ? readUint16(bytes, at + 1) : 0);
    if (end > bytes.length) throw new ProxyProtocolError("Header's last extension is cut off");
    const type = bytes[at]!;
    const value = bytes.slice(at + 3, end);
    if (type === CHECKSUM) verifyChecksum(bytes, at + 3, value);
    extensions.push({ type, value });
    at = end;
  }
  return extensions;
}

function verifyChecksum(bytes: Uint8Array, at: number, stated: Uint8Array): void {
  const zeroed = bytes.slice();
  zeroed.fill(0, at, at + stated.length);
  if (stated.length !== 4 || new DataView(stated.buffer).getUint32(0) !== crc32c(zeroed)) {
    throw new ProxyProtocolError("Header's checksum is wrong");
  }
}

function readEnds(bytes: Uint8Array, width: 4 | 16): ProxiedEnds {
  const hostname = (at: number) => ipaddr.fromByteArray([...bytes.subarray(at, at + width)]).toString();
  const ports = BINARY_PREFIX + 2 * width;
  return {
    source: { hostname: hostname(BINARY_PREFIX), port: readUint16(bytes, ports) },
    destination: { hostname: hostname(BINARY_PREFIX + width), port: readUint16(bytes, ports + 2) },
  };
}

/** Returns the header of a connection that the proxy opened for itself, as for a health check. */
export function formatLocalHeader(): Uint8Array {
  return new Uint8Array([...BINARY_SIGNATURE, LOCAL, 0, 0, 0]);
}

/** Returns a header without extensions; of an unspecified family without addresses. */
export function formatBinaryHeader(ends: ProxiedEnds | undefined): Uint8Array {
  if (ends === undefined) return new Uint8Array([...BINARY_SIGNATURE, PROXY, 0, 0, 0]);
  const addresses = [ipaddr.parse(ends.source.hostname), ipaddr.parse(ends.destination.hostname)];
  const inIpv4 = addresses.every((address) => address.kind() === "ipv4");
  const body = addresses.flatMap((address) =>
    !inIpv4 && address instanceof ipaddr.IPv4
      ? address.toIPv4MappedAddress().toByteArray()
      : address.toByteArray()
  );
  for (const { port } of [ends.source, ends.destination]) body.push(port >> 8, port & 0xff);
  return new Uint8Array([...BINARY_SIGNATURE, PROXY, inIpv4 ? TCP4 : TCP6, 0, body.length, ...body]);
}

function readUint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

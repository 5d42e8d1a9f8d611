/** The PROXY protocol of HAProxy, versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). @module */
import { ByteQueue } from "../../../internal/byte_queue.ts";
import { plural } from "../../../internal/plural.ts";
import {
  BINARY_PREFIX,
  BINARY_SIGNATURE,
  binaryHeaderLength,
  formatBinaryHeader,
  parseBinaryHeader,
} from "./v2.ts";
import {
  type ProxiedEnds,
  type ProxyHeader,
  ProxyProtocolError,
  type ProxyProtocolVersion,
} from "./header.ts";
import { formatTextHeader, MAX_TEXT_HEADER, parseTextHeader } from "./v1.ts";

/** A header, and the bytes that came after it. */
export interface ReadHeader {
  readonly header: ProxyHeader;
  readonly rest: Uint8Array;
}

/** Far over what proxies send: addresses, a host name, a few certificate fields. The protocol would allow 64 KiB. */
const MAX_BINARY_HEADER = 4096;
const TEXT_SIGNATURE = new TextEncoder().encode("PROXY ");
const LF = 10;
const CR = 13;

/**
 * Reads the header that a connection starts with, of either version, from bytes that come in any pieces. Only for
 * connections from proxies one trusts: whoever may send a header may claim any address.
 */
export class ProxyHeaderReader {
  #held: Uint8Array = new Uint8Array(0);

  /**
   * Takes the next bytes.
   *
   * @returns The header once it is whole; nothing may be pushed after that.
   * @throws {ProxyProtocolError} As soon as the bytes cannot become a header.
   */
  push(bytes: Uint8Array): ReadHeader | undefined {
    const queue = new ByteQueue();
    queue.push(this.#held);
    queue.push(bytes);
    const all = queue.take();
    const length = headerLength(all);
    if (length === undefined) {
      this.#held = all;
      return undefined;
    }
    const bytesOfHeader = all.subarray(0, length);
    const header = startsLike(all, TEXT_SIGNATURE)
      ? parseTextHeader(new TextDecoder().decode(bytesOfHeader.subarray(0, -2)))
      : parseBinaryHeader(bytesOfHeader);
    return { header, rest: all.slice(length) };
  }
}

/** The bytes of a header, as it is sent before the first byte of a connection. */
export function formatProxyHeader(version: ProxyProtocolVersion, ends: ProxiedEnds | undefined): Uint8Array {
  return version === 1 ? formatTextHeader(ends) : formatBinaryHeader(ends);
}

/** How long the header is that `bytes` start with; undefined while that cannot be told or not all of it has come. */
function headerLength(bytes: Uint8Array): number | undefined {
  if (startsLike(bytes, TEXT_SIGNATURE)) return textHeaderLength(bytes);
  if (!startsLike(bytes, BINARY_SIGNATURE)) {
    throw new ProxyProtocolError("Connection does not start with a PROXY header");
  }
  if (bytes.length < BINARY_PREFIX) return undefined;
  const length = binaryHeaderLength(bytes);
  if (length > MAX_BINARY_HEADER) {
    throw new ProxyProtocolError(
      `Header of ${plural(length, "byte")} is over the limit of ${MAX_BINARY_HEADER}`,
    );
  }
  return bytes.length < length ? undefined : length;
}

function textHeaderLength(bytes: Uint8Array): number | undefined {
  const end = bytes.subarray(0, MAX_TEXT_HEADER).indexOf(LF);
  if (end >= 0) {
    if (bytes[end - 1] !== CR) throw new ProxyProtocolError("Header does not end in CRLF");
    return end + 1;
  }
  if (bytes.length < MAX_TEXT_HEADER) return undefined;
  throw new ProxyProtocolError(`Header has no end within ${MAX_TEXT_HEADER} bytes`);
}

/** Whether `bytes` agree with `signature` as far as both go. */
function startsLike(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.subarray(0, bytes.length).every((byte, index) => byte === bytes[index]);
}

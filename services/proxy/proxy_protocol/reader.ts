/**
 * Headers of HAProxy's PROXY protocol, versions 1 and 2
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
 *
 * @module
 */
import { ByteQueue } from "../../../internal/byte_queue.ts";
import { plural } from "../../../internal/plural.ts";
import { type ProxyHeader, ProxyProtocolError } from "./header.ts";
import { MAX_TEXT_HEADER, parseTextHeader } from "./v1.ts";
import { BINARY_PREFIX, BINARY_SIGNATURE, binaryHeaderLength, parseBinaryHeader } from "./v2.ts";

/** A header and the bytes received after it. */
export interface ReadHeader {
  readonly header: ProxyHeader;
  readonly rest: Uint8Array;
}

/** Far more than proxies send: addresses, a host name, a few certificate fields. The protocol would allow 64 KiB. */
const MAX_BINARY_HEADER = 4096;
const TEXT_SIGNATURE = new TextEncoder().encode("PROXY ");
const LF = 10;
const CR = 13;

/**
 * Reads the header, of either version, at the start of a connection. The bytes may come in any pieces.
 *
 * Use it only for connections from trusted proxies: the sender of a header can claim any address.
 */
export class ProxyHeaderReader {
  #held: Uint8Array = new Uint8Array(0);

  /**
   * Adds the next bytes.
   *
   * @returns The header once it is complete. No more bytes may be pushed after that.
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

/** Returns the length of the header at the start of `bytes`, or `undefined` if the header is incomplete. */
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

/** Whether `bytes` and `signature` are equal up to the length of the shorter one. */
function startsLike(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.subarray(0, bytes.length).every((byte, index) => byte === bytes[index]);
}

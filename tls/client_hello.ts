/** The unencrypted first message of a TLS client. Pure. @module */

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
// Version and random bytes, before the first field with a length.
const FIXED_PART = 34;
// A browser sends two KiB. Larger hellos are not searched for a name.
const LONGEST = 16 * 1024;
// The characters of host names (RFC 1123, 2.1), and the underscore, which occurs in practice.
const NAME = /^[A-Za-z0-9._-]{1,255}$/;

/** Versions in the hello of a client that supports no later version of TLS (RFC 8446, 4.1.2). */
const OUTDATED: ReadonlyMap<number, string> = new Map([
  [0x0300, "SSL 3.0"],
  [0x0301, "TLS 1.0"],
  [0x0302, "TLS 1.1"],
]);

/**
 * Returns the newest version of a client that does not support TLS 1.2, such as `TLS 1.1`.
 *
 * @param bytes Everything that the client has sent so far.
 * @returns `undefined` for newer clients, and until enough bytes have arrived.
 */
export function outdatedVersion(bytes: Uint8Array): string | undefined {
  const message = joinRecords(bytes);
  if (message === undefined || message[0] !== CLIENT_HELLO || message.length < MESSAGE_HEADER + 2) {
    return undefined;
  }
  return OUTDATED.get(uint16(message, MESSAGE_HEADER));
}

/**
 * Returns the server name that a TLS client requests (RFC 6066, 3), in lower case.
 *
 * @param bytes Everything that the client has sent so far.
 * @returns `undefined` if more bytes are needed, and `""` without a name or if the bytes are malformed. TLS itself
 * reports malformed bytes to the client.
 *
 * @example
 * ```ts
 * import { requestedName } from "./client_hello.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(requestedName(new Uint8Array([0x16, 3, 1])), undefined);
 * assertEquals(requestedName(new TextEncoder().encode("GET / HTTP/1.1")), "");
 * ```
 */
export function requestedName(bytes: Uint8Array): string | undefined {
  const message = joinRecords(bytes);
  if (message === undefined || message[0] !== undefined && message[0] !== CLIENT_HELLO) return "";
  const length = message.length < MESSAGE_HEADER ? Infinity : message[1]! << 16 | uint16(message, 2);
  if (message.length < MESSAGE_HEADER + length) return bytes.length < LONGEST ? undefined : "";
  const extensions = extensionsOf(new Fields(message.subarray(MESSAGE_HEADER, MESSAGE_HEADER + length)));
  return extensions === undefined ? "" : nameAmong(extensions);
}

/** Joins the contents of the records that have arrived (RFC 8446, 5.1), or returns `undefined` for other records. */
function joinRecords(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== HANDSHAKE) return undefined;
    if (bytes.length < at + RECORD_HEADER) break;
    const start = at + RECORD_HEADER;
    at = start + uint16(bytes, start - 2);
    if (at === start) return undefined; // Empty records are forbidden, and could be used to waste CPU time.
    const part = bytes.subarray(start, at);
    parts.push(part);
    total += part.length;
  }
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Returns the extensions of the hello, or `undefined` if it is malformed or has no extensions. */
function extensionsOf(hello: Fields): Fields | undefined {
  hello.skip(FIXED_PART);
  hello.vector(1); // Session
  hello.vector(2); // Cipher suites
  hello.vector(1); // Compression methods
  return hello.vector(2);
}

function nameAmong(extensions: Fields): string {
  while (!extensions.ended) {
    const type = extensions.uint16();
    const extension = extensions.vector(2);
    if (extension === undefined) return "";
    if (type !== SERVER_NAME) continue;
    const names = extension.vector(2);
    const isHost = names?.uint8() === HOST_NAME;
    const name = names?.vector(2)?.text() ?? "";
    return isHost && names?.ended === true && NAME.test(name) ? name.toLowerCase() : "";
  }
  return "";
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Reads consecutive fields. Past the end, numbers and vectors are `undefined`. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  uint8(): number | undefined {
    return this.#bytes[this.#at++];
  }

  uint16(): number | undefined {
    const high = this.uint8();
    const low = this.uint8();
    return high === undefined || low === undefined ? undefined : high << 8 | low;
  }

  /** Reads a field that begins with its length, which takes the given number of bytes. */
  vector(lengthBytes: 1 | 2): Fields | undefined {
    const length = lengthBytes === 1 ? this.uint8() : this.uint16();
    if (length === undefined) return undefined;
    const start = this.#at;
    this.#at += length;
    return this.#at > this.#bytes.length ? undefined : new Fields(this.#bytes.subarray(start, this.#at));
  }

  text(): string {
    return String.fromCharCode(...this.#bytes);
  }
}

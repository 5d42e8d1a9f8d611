/** The unencrypted first message of a TLS client. Pure. @module */
import { ByteQueue } from "../internal/byte_queue.ts";

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
 * The first message of one client. Each of its bytes is read once, even if the client sends it in thousands of small
 * pieces, or records, to waste CPU time.
 *
 * @example
 * ```ts
 * import { ClientHello } from "./client_hello.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const hello = new ClientHello();
 * hello.read(new Uint8Array([0x16, 3, 1]));
 * assertEquals(hello.requestedName(), undefined);
 *
 * const request = new ClientHello();
 * request.read(new TextEncoder().encode("GET / HTTP/1.1"));
 * assertEquals(request.requestedName(), "");
 * ```
 */
export class ClientHello {
  /** The contents of the records that have arrived, joined (RFC 8446, 5.1). */
  readonly #message = new ByteQueue();
  /** The number of bytes that are read. */
  #at = 0;
  /** The end of the present record. */
  #end = 0;
  #arrived = 0;
  /** Whether other records than those of a handshake have arrived. */
  #malformed = false;

  /**
   * Reads what has arrived since the last call.
   *
   * @param bytes Everything that the client has sent so far.
   */
  read(bytes: Uint8Array): void {
    this.#arrived = bytes.length;
    while (this.#at < bytes.length && !this.#malformed) {
      if (this.#at === this.#end && !this.#beginRecord(bytes)) return;
      const part = bytes.subarray(this.#at, this.#end);
      this.#message.push(part);
      this.#at += part.length;
    }
  }

  /**
   * Returns the newest version of a client that does not support TLS 1.2, such as `TLS 1.1`.
   *
   * @returns `undefined` for newer clients, and until enough bytes have arrived.
   */
  outdatedVersion(): string | undefined {
    const message = this.#message.bytes;
    if (this.#malformed || message[0] !== CLIENT_HELLO || message.length < MESSAGE_HEADER + 2) {
      return undefined;
    }
    return OUTDATED.get(uint16(message, MESSAGE_HEADER));
  }

  /**
   * Returns the server name that the client requests (RFC 6066, 3), in lower case.
   *
   * @returns `undefined` if more bytes are needed, and `""` without a name or if the bytes are malformed. TLS itself
   * reports malformed bytes to the client.
   */
  requestedName(): string | undefined {
    const message = this.#message.bytes;
    if (this.#malformed || message[0] !== undefined && message[0] !== CLIENT_HELLO) return "";
    const length = message.length < MESSAGE_HEADER ? Infinity : message[1]! << 16 | uint16(message, 2);
    if (message.length < MESSAGE_HEADER + length) return this.#arrived < LONGEST ? undefined : "";
    const extensions = extensionsOf(new Fields(message.subarray(MESSAGE_HEADER, MESSAGE_HEADER + length)));
    return extensions === undefined ? "" : nameAmong(extensions);
  }

  /** Reads the header of a record. Returns whether it is complete and valid. */
  #beginRecord(bytes: Uint8Array): boolean {
    this.#malformed = bytes[this.#at] !== HANDSHAKE;
    const start = this.#at + RECORD_HEADER;
    if (this.#malformed || bytes.length < start) return false;
    this.#at = start;
    this.#end = start + uint16(bytes, start - 2);
    this.#malformed = this.#end === start; // Empty records are forbidden, and could be used to waste CPU time.
    return !this.#malformed;
  }
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

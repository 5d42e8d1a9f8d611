/** Recognizes the first bytes of a TLS connection. Pure. @module */

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;

/**
 * Whether bytes are the start of a TLS connection (RFC 8446, 4.1.2 and 5.1). Without this check, a TLS client would wait
 * forever, because it sends no line end. A TLS client sends these bytes in one piece.
 */
export function isClientHello(bytes: Uint8Array): boolean {
  return bytes.length > RECORD_HEADER && bytes[0] === HANDSHAKE && bytes[1] === 3 && bytes[2]! <= 4 &&
    bytes[RECORD_HEADER] === CLIENT_HELLO;
}

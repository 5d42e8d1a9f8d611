/** The checksum of PROXY protocol headers. Pure. @module */

/** Castagnoli's polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Returns the CRC-32C of RFC 4960, appendix B. It works bit by bit, because a header has a few hundred bytes at most. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  }
  return (remainder ^ 0xffff_ffff) >>> 0;
}

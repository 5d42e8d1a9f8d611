/** Addresses that no other socket uses. */

/** Bytes of an address, of which the first is 127. */
const BYTES = 3;
// From here on, so that no test and no program takes one by habit.
const FIRST = 64;

/**
 * Returns an address of this machine that nobody else listens on. A test that needs a port after it has freed it needs this:
 * on 127.0.0.1, other programs take free ports at any time, and a client may even be given the port that it connects to.
 * Connections to any address of 127.0.0.0/8 come from 127.0.0.1, so they take no port of this one.
 *
 * Only Linux has all of 127.0.0.0/8. Elsewhere, it is 127.0.0.1.
 */
export function ownAddress(): string {
  if (Deno.build.os !== "linux") return "127.0.0.1";
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(BYTES));
  return `127.${FIRST + a % (255 - FIRST)}.${b}.${1 + c % 254}`;
}

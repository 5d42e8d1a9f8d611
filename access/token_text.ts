/** The form of a token, apart from its check: that loads `node:crypto`, which costs each start 65 ms. Pure. @module */

const PLAIN = /^[^\\\p{Cc}\p{Surrogate}]+$/u;

/** Describes what {@linkcode assertToken} accepts, for help and errors. */
export const TOKEN_NOTATION = "at least one character, no backslash and no control character";

/**
 * Throws unless a token is one line that every protocol can carry.
 *
 * @throws {RangeError} If it is not. The message does not contain it.
 */
export function assertToken(token: string): void {
  if (!PLAIN.test(token)) throw new RangeError(`Cannot use the token: expected ${TOKEN_NOTATION}`);
}

/** What can be a token. Pure. @module */

const PLAIN = /^[^\\\p{Cc}\p{Surrogate}]+$/u;

/** What {@linkcode assertToken} takes, for help and errors. */
export const TOKEN_NOTATION = "at least one character, no backslash and no control character";

/**
 * Makes sure that a token is the same on every wire, and one line of it.
 *
 * @throws {RangeError} If it is not; it is not in the message.
 */
export function assertToken(token: string): void {
  if (!PLAIN.test(token)) throw new RangeError(`Cannot use the token: expected ${TOKEN_NOTATION}`);
}

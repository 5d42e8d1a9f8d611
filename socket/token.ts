/** Secrets that peers must show. @module */
import { createHash, timingSafeEqual } from "node:crypto";

/** Whether what a peer gave is the secret. */
export type TokenCheck = (given: string) => boolean;

/**
 * Compares with a secret in a time that tells nothing of where the two differ, nor of how long the secret is: digests of
 * equal length are compared, in constant time.
 *
 * @param secret At least one character.
 * @throws {RangeError} If the secret is empty: everybody would know it.
 *
 * @example
 * ```ts
 * import { tokenCheck } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const isToken = tokenCheck("open sesame");
 * assertEquals([isToken("open sesame"), isToken("open says me")], [true, false]);
 * ```
 */
export function tokenCheck(secret: string): TokenCheck {
  if (secret === "") {
    throw new RangeError("Cannot guard with an empty token: expected at least one character");
  }
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

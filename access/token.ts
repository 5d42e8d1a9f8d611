/** Secrets that peers must show. @module */
import { createHash, timingSafeEqual } from "node:crypto";
import { assertToken } from "./token_text.ts";

/** Whether what a peer gave is the secret. */
export type TokenCheck = (given: string) => boolean;

/**
 * Compares with a secret in a time that tells nothing of where the two differ, nor of how long the secret is: digests of
 * equal length are compared, in constant time.
 *
 * @param secret At least one character; no backslash and no control character, so that it is the same on every wire.
 * @throws {RangeError} If the secret is not like that; it is not in the message.
 *
 * @example
 * ```ts
 * import { tokenCheck } from "@okline/okline/access";
 * import { assertEquals } from "@std/assert";
 *
 * const isToken = tokenCheck("open sesame");
 * assertEquals([isToken("open sesame"), isToken("open says me")], [true, false]);
 * ```
 */
export function tokenCheck(secret: string): TokenCheck {
  assertToken(secret);
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

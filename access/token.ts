/** Tokens that peers must send. @module */
import { createHash, timingSafeEqual } from "node:crypto";
import { assertToken } from "./token_text.ts";

/** Returns whether a text is the token. */
export type TokenCheck = (given: string) => boolean;

/**
 * Returns a check for a token whose duration reveals neither where two texts differ nor how long the token is. It
 * compares digests of equal length, in constant time.
 *
 * @param secret At least one character; no backslash and no control character, so that every protocol can carry it.
 * @throws {RangeError} If the token is invalid. The message does not contain it.
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

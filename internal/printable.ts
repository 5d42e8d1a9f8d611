/** Text of strangers made safe to print: on a terminal, in a log, in an error. Pure. @module */

// Control characters (ANSI sequences begin with one), invisible and direction-changing format characters, line
// and paragraph separators, lone surrogates. The joiner U+200D stays: it holds emoji together and hides nothing.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu;
const JOINER = "\u200d";

/**
 * `text` on one line, with everything that could act on a terminal or mislead a reader spelt out as `\n`, `\x1b`
 * or `\u{202e}`. A backslash is doubled, so that what was escaped and what was sent that way differ.
 *
 * @param text Text from a peer, a file, or a user.
 * @param limit How much of `text` to show, in UTF-16 units. What is cut off is shown as its length. Default 200.
 *
 * @example
 * ```ts
 * import { printable } from "./printable.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printable("\x1b[2Jhello\n"), "\\x1b[2Jhello\\n");
 * assertEquals(printable("abcdef", 3), "abc… (6 characters)");
 * ```
 */
export function printable(text: string, limit = 200): string {
  if (text.length <= limit) return escape(text);
  const splitsPair = /[\ud800-\udbff]/.test(text.charAt(limit - 1)) &&
    /[\udc00-\udfff]/.test(text.charAt(limit));
  return `${escape(text.slice(0, splitsPair ? limit - 1 : limit))}… (${text.length} characters)`;
}

/** {@linkcode printable} text between double quotes, cut at 60 characters: a value in an error. */
export function quoted(text: string): string {
  return `"${printable(text, 60)}"`;
}

function escape(text: string): string {
  return text.replace(UNSAFE, (character) => {
    switch (character) {
      case JOINER:
        return character;
      case "\\":
        return "\\\\";
      case "\n":
        return "\\n";
      case "\r":
        return "\\r";
      case "\t":
        return "\\t";
    }
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Text of chat clients, made safe for terminals. Pure. @module */

// Control characters move the cursor, ring the bell, and change colors. Bidirectional ones disguise text. Tab is harmless.
const UNSAFE = /(?!\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Returns the text with U+FFFD for each character that could harm a terminal. */
export function sanitize(text: string): string {
  return text.replace(UNSAFE, "\ufffd");
}

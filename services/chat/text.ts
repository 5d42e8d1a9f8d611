/** Text of peers, made safe for the terminals of others. Pure. @module */

const NAME = /^[\p{L}\p{N}_.-]{1,24}$/u;
/** What a name may be, for people. */
export const NAME_RULE = "1 to 24 letters, digits, dots, dashes or underscores";

// Control characters move the cursor, ring, recolour; the bidirectional ones let text pass for another's. Tab stays.
const UNSAFE = /(?!\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The text with each character that could harm a terminal replaced by U+FFFD. */
export function sanitize(text: string): string {
  return text.replace(UNSAFE, "\ufffd");
}

/** Whether a peer may be called so. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** The form in which two names are the same. */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

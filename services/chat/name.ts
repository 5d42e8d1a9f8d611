/** Names of chat members: which are allowed, and which are the same. Pure. @module */

// Marks belong to the letters of many scripts, as in Hindi and Thai. More than four would reach into other lines.
const NAME = /^(?:\p{L}\p{M}{0,4}|[\p{N}_.-]){1,24}$/u;
// Invisible, so that two names with and without one look the same.
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;

/** Description of allowed names, for people. */
export const NAME_RULE = "1 to 24 letters, digits, dots, dashes, or underscores";

/** Returns the name in normalization form C, in which all clients show it alike. */
export function normalizeName(name: string): string {
  return name.normalize("NFC");
}

/** Whether a member may have this name. It must be in normalization form C ({@linkcode normalizeName}). */
export function isName(name: string): boolean {
  return NAME.test(name) && !IGNORABLE.test(name);
}

/** Returns the form in which two spellings of the same name are equal. */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

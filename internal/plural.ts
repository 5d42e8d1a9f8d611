/** Numbers with their nouns, for messages. Pure. @module */

/** The singular and the plural of a noun. */
export interface Noun {
  readonly one: string;
  readonly many: string;
}

/**
 * Returns a number with its noun: `1 connection`, `0 connections`, `2 connections`.
 *
 * @param noun A noun with a regular plural, or both forms.
 * @param options.format Formats the number. Default: its digits.
 */
export function plural(
  count: number,
  noun: string | Noun,
  { format = String }: { readonly format?: (count: number) => string } = {},
): string {
  const { one, many } = typeof noun === "string" ? { one: noun, many: `${noun}s` } : noun;
  return `${format(count)} ${count === 1 ? one : many}`;
}

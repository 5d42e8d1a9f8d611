/** Numbers with their nouns, as messages tell them. Pure. @module */

/** A word for one of a thing, and the word for any other number of them. */
export interface Noun {
  readonly one: string;
  readonly many: string;
}

/**
 * A number and what it counts: `1 connection`, `0 connections`, `2 connections`.
 *
 * @param noun One that takes an `s`, or both its forms.
 * @param options.format Writes the number. Default: its digits.
 */
export function plural(
  count: number,
  noun: string | Noun,
  { format = String }: { readonly format?: (count: number) => string } = {},
): string {
  const { one, many } = typeof noun === "string" ? { one: noun, many: `${noun}s` } : noun;
  return `${format(count)} ${count === 1 ? one : many}`;
}

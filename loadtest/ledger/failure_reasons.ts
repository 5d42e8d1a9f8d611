/** Why clients failed, in the words of the OS, a library, or the server, counted by text. Pure. @module */
import { printable } from "../../internal/printable.ts";

/** The failed operation. */
export type FailureKind =
  /** A connection could not be made. */
  | "refused"
  /** The server answered with an error, or with an invalid frame. */
  | "error"
  /** A connection did not end naturally. */
  | "close";

/** {@linkcode FailureReasons} as plain data. */
export interface FailureReasonsSnapshot {
  readonly counts: readonly (readonly [FailureKind, readonly (readonly [text: string, count: number])[]])[];
  readonly others: readonly (readonly [FailureKind, number])[];
}

/** Reasons of a kind that are listed. */
const LISTED = 3;
/** A server may word every error differently, which must not fill the memory. Further texts are counted together. */
const MOST_TEXTS = 100;

/** The start of a sentence for each kind, and its end for unlisted texts. */
const SENTENCES: readonly (readonly [FailureKind, lead: string, others: string])[] = [
  ["refused", "Could not connect", "other reasons"],
  ["error", "The server answered", "other errors"],
  ["close", "A connection ended unnaturally", "other reasons"],
];

/** Counts reasons. */
export class FailureReasons {
  readonly #counts = new Map<FailureKind, Map<string, number>>();
  readonly #others = new Map<FailureKind, number>();

  /** Counts a reason. Control characters and the like in its text are escaped. */
  add(kind: FailureKind, text: string): void {
    this.#add(kind, printable(text), 1);
  }

  /** Returns how often something of this kind was counted. */
  count(kind: FailureKind): number {
    const listed = this.#counts.get(kind)?.values().reduce((sum, count) => sum + count, 0) ?? 0;
    return listed + (this.#others.get(kind) ?? 0);
  }

  /** Returns the most frequent reason of a kind, or an empty text without one. */
  mostFrequent(kind: FailureKind): string {
    return [...this.#counts.get(kind) ?? []].sort(byCount)[0]?.[0] ?? "";
  }

  /** Returns whether a condition holds for every counted reason of a kind; `false` if some are counted without their text. */
  every(kind: FailureKind, holds: (text: string) => boolean): boolean {
    return !this.#others.has(kind) && [...this.#counts.get(kind)?.keys() ?? []].every(holds);
  }

  /**
   * Returns the most frequent of each kind as sentences, such as `Could not connect 1,000 times: …`.
   *
   * @param kinds Default: all.
   */
  list(kinds: readonly FailureKind[] = ["refused", "error", "close"]): string[] {
    return SENTENCES.filter(([kind]) => kinds.includes(kind)).flatMap(([kind, lead, others]) => {
      const all = [...this.#counts.get(kind) ?? []].sort(byCount);
      const rest = all.slice(LISTED).reduce((sum, [, count]) => sum + count, this.#others.get(kind) ?? 0);
      return [
        ...all.slice(0, LISTED).map(([text, count]) => `${lead} ${formatTimes(count)}: ${text}`),
        ...(rest > 0 ? [`${lead} ${formatTimes(rest)}: ${others}`] : []),
      ];
    });
  }

  snapshot(): FailureReasonsSnapshot {
    return {
      counts: [...this.#counts].map(([kind, texts]) => [kind, [...texts]] as const),
      others: [...this.#others],
    };
  }

  /** Adds the counts of another ledger. */
  absorb({ counts, others }: FailureReasonsSnapshot): void {
    for (const [kind, texts] of counts) for (const [text, count] of texts) this.#add(kind, text, count);
    for (const [kind, count] of others) this.#others.set(kind, count + (this.#others.get(kind) ?? 0));
  }

  #add(kind: FailureKind, text: string, more: number): void {
    const texts = this.#counts.get(kind) ?? new Map<string, number>();
    this.#counts.set(kind, texts);
    const count = texts.get(text);
    if (count === undefined && texts.size >= MOST_TEXTS) {
      this.#others.set(kind, more + (this.#others.get(kind) ?? 0));
    } else texts.set(text, more + (count ?? 0));
  }
}

/** The most frequent first; equal counts by text, so that the order of events does not matter. */
function byCount([one, ones]: readonly [string, number], [other, others]: readonly [string, number]): number {
  return others - ones || (one < other ? -1 : 1);
}

/** Formats a number of times: `once`, `1,000 times`. */
export function formatTimes(count: number): string {
  return count === 1 ? "once" : `${count.toLocaleString("en")} times`;
}

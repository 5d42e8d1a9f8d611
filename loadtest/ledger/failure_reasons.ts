/** Why clients failed, in the words of the system, of a library or of the server: counted by text. Pure. @module */
import { printable } from "../../internal/printable.ts";

/** What a reason is for. */
export type FailureKind =
  /** A connection could not be made. */
  | "refused"
  /** The server answered with an error, or a line that is no frame. */
  | "error"
  /** A connection ended otherwise than naturally. */
  | "close";

/** {@linkcode FailureReasons} as plain data. */
export interface FailureReasonsSnapshot {
  readonly counts: readonly (readonly [FailureKind, readonly (readonly [text: string, count: number])[]])[];
  readonly others: readonly (readonly [FailureKind, number])[];
}

/** How many reasons of a kind are told. */
const TOLD = 3;
/** A server may word each of its errors anew; that must not fill the memory. Those beyond are counted together. */
const MOST_TEXTS = 100;

/** How a sentence about each kind begins, and how it ends for those that are not told. */
const SENTENCES: readonly (readonly [FailureKind, lead: string, others: string])[] = [
  ["refused", "Could not connect", "other reasons"],
  ["error", "The server answered", "other errors"],
  ["close", "A connection ended unnaturally", "other reasons"],
];

/** Reasons, counted. */
export class FailureReasons {
  readonly #counts = new Map<FailureKind, Map<string, number>>();
  readonly #others = new Map<FailureKind, number>();

  /** Counts a reason; what in its text could mislead a reader is spelt out. */
  add(kind: FailureKind, text: string): void {
    this.#add(kind, printable(text), 1);
  }

  /** The most frequent of each kind, as sentences such as `Could not connect 1,000 times: …`. */
  list(): string[] {
    return SENTENCES.flatMap(([kind, lead, others]) => {
      const all = [...this.#counts.get(kind) ?? []].sort(byCount);
      const rest = all.slice(TOLD).reduce((sum, [, count]) => sum + count, this.#others.get(kind) ?? 0);
      return [
        ...all.slice(0, TOLD).map(([text, count]) => `${lead} ${formatTimes(count)}: ${text}`),
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

  /** Adds what others counted. */
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

/** The more frequent first; of those that are alike, by their texts, so that the order of events is no matter. */
function byCount([one, ones]: readonly [string, number], [other, others]: readonly [string, number]): number {
  return others - ones || (one < other ? -1 : 1);
}

/** How often: `once`, `1,000 times`. */
export function formatTimes(count: number): string {
  return count === 1 ? "once" : `${count.toLocaleString("en")} times`;
}

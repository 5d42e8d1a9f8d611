/** What is wrong with a run: every case counted, the first few told in a sentence. Pure. @module */

/** The classes of what can be wrong. */
export type FindingKind =
  /** An ok, or a message, that should not have come, or not to that client. */
  | "unexpected"
  /** More than one ok for one send. */
  | "duplicate"
  /** The events contradict each other, so the account cannot be trusted. */
  | "inconsistent"
  /** The server holds something after the run, or its figures could not be had. */
  | "leftover"
  /** A process ended that should not have. */
  | "died"
  /** The generator was not up to its schedule. */
  | "overloaded"
  /** Why messages were not acknowledged or connections were not natural, by how often; wrong is what it led to. */
  | "reason"
  /** Sent, failed at least once, and never acknowledged. */
  | "lost"
  /** Not acknowledged when the run ended, and not failed either. */
  | "under-way"
  /** A scenario got another reply than it expected. */
  | "wrong"
  /** It got only the start of the expected reply. */
  | "truncated"
  /** It got the reply to another session's request. */
  | "foreign"
  /** It got the replies of a connection in another order than that of the requests. */
  | "reordered"
  /** A check of a scenario did not hold. */
  | "check"
  /** A scenario threw an error of its own. */
  | "scenario"
  /** A connection that ended otherwise than naturally, or could not be made. */
  | "unnatural";

/** One thing that is wrong. */
export interface Finding {
  readonly kind: FindingKind;
  /** A sentence for people, naming client, message and address. */
  readonly text: string;
}

/** How many findings of a kind are told; the others are only counted. */
const TOLD = 20;

/** Findings, told and counted. */
export class Findings {
  readonly #told = new Map<FindingKind, string[]>();
  readonly #counts = new Map<FindingKind, number>();

  /** Counts one of `kind`; `text`, a sentence that may begin with a small letter, is asked for only while there is room. */
  add(kind: FindingKind, text: () => string): void {
    const count = this.count(kind);
    this.#counts.set(kind, count + 1);
    if (count < TOLD) this.#listOf(kind).push(capitalized(text()));
  }

  count(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** All that is told, in the order of `kinds`, each with a last line for those that are not told. */
  list(kinds: readonly FindingKind[]): Finding[] {
    return kinds.flatMap((kind) => {
      const texts = this.#told.get(kind) ?? [];
      const more = this.count(kind) - texts.length;
      return [...texts, ...(more > 0 ? [`And ${more} more like these`] : [])].map((text) => ({ kind, text }));
    });
  }

  snapshot(): FindingsSnapshot {
    return { told: [...this.#told], counts: [...this.#counts] };
  }

  /** Adds what others found. */
  absorb({ told, counts }: FindingsSnapshot): void {
    for (const [kind, texts] of told) {
      const list = this.#listOf(kind);
      list.push(...texts.slice(0, Math.max(0, TOLD - list.length)));
    }
    for (const [kind, count] of counts) this.#counts.set(kind, this.count(kind) + count);
  }

  #listOf(kind: FindingKind): string[] {
    const list = this.#told.get(kind) ?? [];
    this.#told.set(kind, list);
    return list;
  }
}

/** How many findings of a kind a person is shown at first: more of the same say little more. */
const LEADING = 3;

/**
 * Findings in two heaps: the first few of each kind, which say what is wrong, and all others.
 *
 * @example
 * ```ts
 * import { leadingFindings } from "./findings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lost = [1, 2, 3, 4].map((client) => ({ kind: "lost", text: `Message ${client}` } as const));
 * const { leading, others } = leadingFindings([...lost, { kind: "died", text: "The server" }]);
 * assertEquals([leading.length, others], [4, [{ kind: "lost", text: "Message 4" }]]);
 * ```
 */
export function leadingFindings(
  findings: readonly Finding[],
): { readonly leading: readonly Finding[]; readonly others: readonly Finding[] } {
  const kinds = Map.groupBy(findings, ({ kind }) => kind).values().toArray();
  return {
    leading: kinds.flatMap((list) => list.slice(0, LEADING)),
    others: kinds.flatMap((list) => list.slice(LEADING)),
  };
}

/** {@linkcode Findings} as plain data. */
export interface FindingsSnapshot {
  readonly told: readonly (readonly [FindingKind, readonly string[]])[];
  readonly counts: readonly (readonly [FindingKind, number])[];
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Findings of a run: every case is counted, the first few are described. Pure. @module */

/** The kinds of findings. */
export type FindingKind =
  /** No client ever connected, so the run ended early. */
  | "unreachable"
  /** A message or an ok that should not have arrived, or not at that client. */
  | "unexpected"
  /** More than one ok for one send. */
  | "duplicate"
  /** The events contradict each other, so the counts cannot be trusted. */
  | "inconsistent"
  /** The server holds something after the run, or did not report its state. */
  | "leftover"
  /** The server of the load test did not end by itself, and had to be killed. */
  | "hung"
  /** A process ended too early. */
  | "died"
  /** The generator fell behind its schedule, or hit a limit of its own. */
  | "overloaded"
  /** Why messages failed or connections did not end naturally, with a count; explains other findings. */
  | "reason"
  /** Sent, failed at least once, and never acknowledged. */
  | "lost"
  /** In flight when the run ended: not acknowledged, and no attempt failed. */
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
  /** A connection that did not end naturally, or could not be made. */
  | "unnatural";

/** One thing that is wrong with a run. */
export interface Finding {
  /** Its kind. */
  readonly kind: FindingKind;
  /** A sentence that names client, message, and address. */
  readonly text: string;
  /** `true` if it follows from the likely cause of the failure; otherwise absent. */
  readonly follows?: true;
}

/** Kinds of replies that are there, and wrong; the most serious first. */
export const WRONG_REPLIES: readonly FindingKind[] = [
  "unexpected",
  "duplicate",
  "wrong",
  "truncated",
  "foreign",
  "reordered",
];

/** Described findings per kind by default; further ones are only counted. */
export const DESCRIBED = 20;

/** Collects findings. */
export class Findings {
  /** The most findings of a kind that are described. */
  readonly most: number;
  readonly #described = new Map<FindingKind, string[]>();
  readonly #counts = new Map<FindingKind, number>();

  /** @param most Findings of a kind that are described. Default 20; `Infinity` describes all. */
  constructor(most: number = DESCRIBED) {
    this.most = most;
  }

  /** Counts a finding. `text` is called only if the finding will be described; its first letter is capitalized. */
  add(kind: FindingKind, text: () => string): void {
    const count = this.count(kind);
    this.#counts.set(kind, count + 1);
    if (count < this.most) this.#listOf(kind).push(capitalized(text()));
  }

  /** Returns the number of findings of a kind. */
  count(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Returns the described findings in the order of `kinds`, with a last line for further ones of each kind. */
  list(kinds: readonly FindingKind[]): Finding[] {
    return kinds.flatMap((kind) => {
      const texts = this.#described.get(kind) ?? [];
      const more = this.count(kind) - texts.length;
      return [...texts, ...(more > 0 ? [`And ${more} more like these`] : [])].map((text) => ({ kind, text }));
    });
  }

  /** Removes all findings of a kind. */
  remove(kind: FindingKind): void {
    this.#described.delete(kind);
    this.#counts.delete(kind);
  }

  snapshot(): FindingsSnapshot {
    return { described: [...this.#described], counts: [...this.#counts] };
  }

  /** Adds the findings of another ledger. */
  absorb({ described, counts }: FindingsSnapshot): void {
    for (const [kind, texts] of described) {
      const list = this.#listOf(kind);
      for (const text of texts.slice(0, Math.max(0, this.most - list.length))) list.push(text);
    }
    for (const [kind, count] of counts) this.#counts.set(kind, this.count(kind) + count);
  }

  #listOf(kind: FindingKind): string[] {
    const list = this.#described.get(kind) ?? [];
    this.#described.set(kind, list);
    return list;
  }
}

/** Findings in two groups. */
export interface GroupedFindings {
  /** Those that do not follow from the cause, without the one that the cause states itself. */
  readonly own: readonly Finding[];
  /** Those that follow from the cause. */
  readonly following: readonly Finding[];
}

/**
 * Splits findings into those that follow from the likely cause and all others.
 *
 * @example
 * ```ts
 * import { groupFindings } from "./findings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const wrong = { kind: "wrong", text: "Client 3 got …" } as const;
 * const lost = { kind: "lost", text: "Message 7 …", follows: true } as const;
 * const died = { kind: "died", text: "The server ended before the run did: exit code 1" } as const;
 * const cause = { text: `${died.text}, 3s after the start` };
 * const groups = groupFindings({ findings: [died, wrong, lost], cause });
 * assertEquals(groups, { own: [wrong], following: [lost] });
 * ```
 */
export function groupFindings(
  { findings, cause }: {
    readonly findings: readonly Finding[];
    readonly cause?: { readonly text: string } | undefined;
  },
): GroupedFindings {
  const isStated = ({ text }: Finding): boolean => cause?.text.startsWith(text) ?? false;
  const { own = [], following = [] } = Object.groupBy(
    findings.filter((finding) => !isStated(finding)),
    ({ follows }) => follows ? "following" : "own",
  );
  return { own, following };
}

/** Findings of a kind to show at first: further ones add little. */
const LEADING = 3;

/** The last line of a kind, for findings that are only counted. */
const ONLY_COUNTED = /^And ([\d,]+) more like these$/;

/**
 * Splits findings into the first few of each kind and all others. Findings of a kind that differ only in numbers, such as
 * those of clients, count as one, and the first of them says how many more there are.
 *
 * @example
 * ```ts
 * import { leadingFindings } from "./findings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const wrong = ["a", "b", "c", "d"].map((text) => ({ kind: "wrong", text } as const));
 * const lost = [1, 2].map((client) => ({ kind: "lost", text: `Message ${client}` } as const));
 * const { leading, others } = leadingFindings([...wrong, ...lost]);
 * assertEquals(leading.map(({ text }) => text), ["a", "b", "c", "Message 1 (and 1 more like this)"]);
 * assertEquals(others.map(({ text }) => text), ["d", "Message 2"]);
 * ```
 */
export function leadingFindings(findings: readonly Finding[]): LeadingFindings {
  const kinds = Map.groupBy(findings, ({ kind }) => kind).values().toArray().map(splitKind);
  return {
    leading: kinds.flatMap(({ leading }) => leading),
    others: kinds.flatMap(({ others }) => others),
    uncounted: kinds.reduce((sum, { uncounted }) => sum + uncounted, 0),
    complete: kinds.every(({ complete }) => complete),
  };
}

/** Findings to show at first, and all others. */
export interface LeadingFindings {
  readonly leading: readonly Finding[];
  readonly others: readonly Finding[];
  /** The number of others that no leading one counts as like itself. */
  readonly uncounted: number;
  /** Whether all are described: beyond {@linkcode DESCRIBED} of a kind, findings are only counted. */
  readonly complete: boolean;
}

function splitKind(all: readonly Finding[]): LeadingFindings {
  const described = all.filter(({ text }) => !ONLY_COUNTED.test(text));
  const groups = Map.groupBy(described, ({ text }) => text.replaceAll(/\d+(\.\d+)?/g, "0")).values()
    .toArray();
  // Nothing says what those are like that are only counted, unless all others are alike.
  const counted = countedIn(all);
  const shown = groups.slice(0, LEADING);
  const first = shown.map(([one]) => one!);
  return {
    leading: shown.map(([{ kind, text } = all[0]!, ...alike]) => {
      const more = alike.length + (groups.length === 1 ? counted : 0);
      const least = groups.length > 1 && counted > 0 ? "at least " : "";
      return {
        kind,
        text: more === 0 ? text : `${text} (and ${least}${more.toLocaleString("en")} more like this)`,
      };
    }),
    others: all.filter((finding) => !first.includes(finding)),
    uncounted: groups.slice(LEADING).flat().length + (groups.length === 1 ? 0 : counted),
    complete: counted === 0,
  };
}

function countedIn(all: readonly Finding[]): number {
  const [, count = "0"] = ONLY_COUNTED.exec(all.at(-1)?.text ?? "") ?? [];
  return Number(count.replaceAll(",", ""));
}

/** {@linkcode Findings} as plain data. */
export interface FindingsSnapshot {
  readonly described: readonly (readonly [FindingKind, readonly string[]])[];
  readonly counts: readonly (readonly [FindingKind, number])[];
}

/** Returns a text with a capital first letter. */
export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Verifies a written history: judges it by the rules of a live run, and detects changes. @module */
import { plural } from "../../internal/plural.ts";
import type { VerdictEvent } from "./events.ts";
import { HistoryDigest } from "./digest.ts";
import { HistoryError, parseHistoryLine } from "./line_format.ts";
import { Ledger, type LedgerOptions } from "../ledger/ledger.ts";
import { judge, type Judgement, type Verdict } from "../judge/verdict.ts";

/** A verified history. */
export interface VerifiedHistory {
  /** The verdict on the events; `failed` if the history was changed. */
  readonly verdict: Verdict;
  readonly judgement: Judgement;
  readonly ledger: Ledger;
  /** The verdict that the run recorded. */
  readonly recorded: VerdictEvent | undefined;
  /** Sentences about how the history differs from what was written; empty if it does not. */
  readonly discrepancies: readonly string[];
}

/**
 * Takes the lines of a history one by one, then judges it.
 *
 * @example
 * ```ts
 * import { HistoryDigest } from "./digest.ts";
 * import { HistoryVerifier } from "./verify.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lines = [
 *   '{"event":"run","schema":1,"seed":1,"clients":1,"protocol":"echo","server":"foreign","faults":false}',
 *   '{"event":"planned","client":0,"at":5,"text":"hello #0"}',
 *   '{"event":"stop","at":6,"why":"interrupted"}',
 * ];
 * const digest = new HistoryDigest();
 * for (const line of lines) digest.add(line);
 * lines.push(JSON.stringify({ event: "verdict", verdict: "interrupted", crossed: [], ...digest.result() }));
 *
 * const history = new HistoryVerifier();
 * for (const line of lines) history.push(line);
 * assertEquals(history.end().verdict, "interrupted");
 * assertEquals(history.end().discrepancies, []);
 * ```
 */
export class HistoryVerifier {
  readonly #options: Pick<LedgerOptions, "described">;
  #ledger: Ledger | undefined;
  #recorded: VerdictEvent | undefined;
  readonly #digest = new HistoryDigest();
  #number = 0;

  constructor(options: Pick<LedgerOptions, "described"> = {}) {
    this.#options = options;
  }

  /**
   * Takes the next line, without its LF.
   *
   * @throws {HistoryError} If it is not an event, or comes before the `run` event or after the `verdict`
   */
  push(line: string): void {
    const event = parseHistoryLine(line, ++this.#number);
    if (this.#recorded) throw new HistoryError(this.#number, `"${event.event}" after the verdict`);
    if (event.event === "verdict") {
      this.#recorded = event;
      return;
    }
    this.#digest.add(line);
    if (this.#ledger) this.#ledger.record(event);
    else if (event.event === "run") this.#ledger = new Ledger(event, { sparse: true, ...this.#options });
    else throw new HistoryError(this.#number, `expected the event "run" first: got "${event.event}"`);
  }

  /**
   * Judges the history.
   *
   * @throws {HistoryError} If it is empty
   */
  end(): VerifiedHistory {
    const ledger = this.#ledger;
    if (!ledger) throw new HistoryError(1, `expected the event "run": got the end of the history`);
    const recorded = this.#recorded;
    const judgement = judge(ledger);
    const crossed = recorded !== undefined && recorded.crossed.length > 0;
    const smooth = judgement.verdict === "proven" || judgement.verdict === "delivered";
    const judged: Verdict = smooth && crossed ? "threshold" : judgement.verdict;
    const discrepancies = this.#discrepancies(judged);
    const verdict = discrepancies.length > 0 ? "failed" : judged;
    return { verdict, judgement, ledger, recorded, discrepancies };
  }

  #discrepancies(judged: Verdict): string[] {
    if (!this.#recorded) {
      return ["The history has no verdict: it was truncated, or the run did not finish"];
    }
    const { verdict, lines, sha256 } = this.#recorded;
    const found = this.#digest.result();
    const discrepancies: string[] = [];
    if (lines !== found.lines) {
      discrepancies.push(
        `The history was written with ${plural(lines, "line")} before its verdict, but has ${found.lines}`,
      );
    }
    if (sha256 !== found.sha256) discrepancies.push("The history was changed after it was written");
    if (verdict !== judged) {
      discrepancies.push(`The run was judged "${verdict}", but its history is "${judged}"`);
    }
    return discrepancies;
  }
}

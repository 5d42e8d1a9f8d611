/** Judges a written history by the same rules as a live run, and tells whether it is as it was written. @module */
import { plural } from "../../internal/plural.ts";
import type { VerdictEvent } from "./events.ts";
import { HistoryDigest } from "./digest.ts";
import { HistoryError, parseHistoryLine } from "./line_format.ts";
import { Ledger } from "../ledger/ledger.ts";
import { judge, type Judgement, type Verdict } from "../judge/verdict.ts";

/** What judging a history came to. */
export interface VerifiedHistory {
  /** What the events come to; `failed` when the history is not as it was written. */
  readonly verdict: Verdict;
  readonly judgement: Judgement;
  readonly ledger: Ledger;
  /** What the run itself said. */
  readonly recorded: VerdictEvent | undefined;
  /** How the history differs from the one that was written, in sentences; none when it agrees. */
  readonly discrepancies: readonly string[];
}

/**
 * Takes the lines of a history one by one, and then judges.
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
  #ledger: Ledger | undefined;
  #recorded: VerdictEvent | undefined;
  readonly #digest = new HistoryDigest();
  #number = 0;

  /**
   * Takes the next line, without its LF.
   *
   * @throws {HistoryError} If it is no event, or comes before the `run` event or after the `verdict`
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
    else if (event.event === "run") this.#ledger = new Ledger(event);
    else throw new HistoryError(this.#number, `expected the event "run" first: got "${event.event}"`);
  }

  /**
   * Judges what has been taken.
   *
   * @throws {HistoryError} If there was nothing
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
      return ["The history has no verdict: it is cut off, or the run did not come to its end"];
    }
    const { verdict, lines, sha256 } = this.#recorded;
    const found = this.#digest.result();
    const discrepancies: string[] = [];
    if (lines !== found.lines) {
      discrepancies.push(
        `The history was written with ${plural(lines, "line")} before its verdict, and has ${found.lines}`,
      );
    }
    if (sha256 !== found.sha256) discrepancies.push("The history was changed after it was written");
    if (verdict !== judged) {
      discrepancies.push(`The run was judged "${verdict}", and its history "${judged}"`);
    }
    return discrepancies;
  }
}

/** Describes verdicts in a sentence. Pure. @module */
import { crossedThresholds, type Summary } from "../metrics/summary.ts";

/** The part of a summary that {@linkcode describeVerdict} needs. */
export type VerdictFacts = Pick<
  Summary,
  "verdict" | "clients" | "acked" | "lost" | "underWay" | "closed" | "reconnects" | "thresholds" | "scenario"
>;

/**
 * Describes the verdict of a run in a sentence without a final period.
 *
 * @example
 * ```ts
 * import { describeVerdict } from "./verdict_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const closed = { natural: 9, timeout: 1, error: 0 };
 * const counts = { clients: 10, acked: 9, lost: 1, underWay: 0, reconnects: 0, closed };
 * const run = { verdict: "failed", ...counts, thresholds: [] } as const;
 * assertEquals(describeVerdict(run), "9 of 10 messages acknowledged, 1 lost");
 * ```
 */
export function describeVerdict(run: VerdictFacts): string {
  const { verdict, clients, acked, lost, underWay } = run;
  const { messages, verb } = run.scenario === undefined
    ? { messages: clients, verb: "acknowledged" }
    : { messages: run.scenario.requests, verb: "answered as expected" };
  const noun = run.scenario === undefined ? "message" : "request";
  const all = messages === 1 ? `The one ${noun} was` : `All ${messages.toLocaleString("en")} ${noun}s were`;
  const some = `${acked.toLocaleString("en")} of ${messages.toLocaleString("en")} ${noun}s ${verb}`;
  const natural = run.closed.natural === clients && run.reconnects === 0;
  // Without natural ends, only a run with injected faults has a good verdict.
  const ends = natural ? "every connection closed naturally" : "despite the injected faults";
  const crossed = crossedThresholds(run);
  const rest = [lost > 0 ? `, ${lost} lost` : "", underWay > 0 ? `, ${underWay} in flight at the end` : ""]
    .join("");
  switch (verdict) {
    case "proven":
      return `${all} ${verb}, ${ends}, and the server was left with nothing`;
    case "delivered":
      return `${all} ${verb}, ${ends}; the state of the server is unknown`;
    case "threshold":
      if (run.thresholds.some(({ aborted }) => aborted)) {
        return `Stopped early, because ${crossed.join(" and ")} ${
          crossed.length === 1 ? "does" : "do"
        } not hold: ` +
          `${some}${rest}`;
      }
      return `${all} ${verb}, but ${crossed.join(" and ")} ${crossed.length === 1 ? "does" : "do"} not hold`;
    case "invalid":
      return "The generator fell behind its schedule or hit a limit of its own, so the metrics mean nothing; use fewer " +
        "clients or a longer window, or allow more lag (--max-lag)";
    case "interrupted":
      return `Stopped before the end: ${some}${rest}`;
    case "failed":
      return `${some}${rest}`;
  }
}

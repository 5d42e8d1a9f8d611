/** A verdict in a sentence. Pure. @module */
import type { Summary } from "../metrics/summary.ts";

/** What a summary needs to have for its verdict to be told. */
export type VerdictFacts = Pick<
  Summary,
  "verdict" | "clients" | "acked" | "lost" | "underWay" | "closed" | "reconnects" | "thresholds" | "scenario"
>;

/**
 * What the verdict of a run means, in a sentence without its full stop.
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
  const { verdict, clients, acked, lost, underWay, thresholds } = run;
  const { messages, verb } = run.scenario === undefined
    ? { messages: clients, verb: "acknowledged" }
    : { messages: run.scenario.requests, verb: "answered as expected" };
  const noun = run.scenario === undefined ? "message" : "request";
  const all = messages === 1 ? `The one ${noun} was` : `All ${messages.toLocaleString("en")} ${noun}s were`;
  const some = `${acked.toLocaleString("en")} of ${messages.toLocaleString("en")} ${noun}s ${verb}`;
  const natural = run.closed.natural === clients && run.reconnects === 0;
  // A good verdict in spite of that is for a run that was to have faults.
  const ends = natural ? "every connection closed naturally" : "in spite of the faults that were asked for";
  const crossed = thresholds.filter(({ holds }) => !holds).map(({ expression }) => expression);
  const rest = [lost > 0 ? `, ${lost} lost` : "", underWay > 0 ? `, ${underWay} under way at the end` : ""]
    .join("");
  switch (verdict) {
    case "proven":
      return `${all} ${verb}, ${ends}, and the server was left with nothing`;
    case "delivered":
      return `${all} ${verb}, ${ends}; the server's state could not be asked for`;
    case "threshold":
      return `${all} ${verb}, but ${crossed.join(" and ")} ${crossed.length === 1 ? "does" : "do"} not hold`;
    case "invalid":
      return `The generator could not keep its own schedule, so the figures mean nothing`;
    case "interrupted":
      return `Stopped before it was done: ${some}${rest}`;
    case "failed":
      return `${some}${rest}`;
  }
}

/**
 * The parts of the load test: a seeded plan, a ledger of what happened, the judge, and the figures.
 *
 * @module
 */
export * from "./account.ts";
export * from "./arrival.ts";
export * from "./comparison.ts";
export * from "./confidence.ts";
export * from "./fault_spec.ts";
export type { Figures, FiguresInput } from "./figures.ts";
export * from "./finding.ts";
export * from "./history.ts";
export * from "./history_digest.ts";
export * from "./history_judge.ts";
export * from "./history_line.ts";
export * from "./junit.ts";
export * from "./latency.ts";
export * from "./ledger.ts";
export * from "./measures.ts";
export * from "./payload.ts";
export * from "./plan.ts";
export * from "./random.ts";
export * from "./reason.ts";
export * from "./reply_delay.ts";
export * from "./report/report.ts";
export * from "./rules.ts";
export * from "./summary.ts";
export * from "./threshold.ts";
export * from "./timeline.ts";
export * from "./verdict.ts";
export * from "./verdict_text.ts";

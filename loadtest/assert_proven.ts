/** An assertion on the result of a load test. Pure. @module */
import { leadingFindings } from "./judge/findings.ts";
import type { LoadTestRun } from "./load_test_run.ts";

/** A run is not proven. */
export class NotProvenError extends Error {
  /** Always `NotProvenError`. */
  override readonly name = "NotProvenError";
}

/**
 * Asserts that a run is proven, or delivered if the state of the server is unknown.
 *
 * @throws {NotProvenError} With the verdict and what is wrong.
 */
export function assertProven(run: Pick<LoadTestRun, "verdict" | "text" | "findings">): void {
  if (run.verdict === "proven" || run.verdict === "delivered") return;
  const { leading, others } = leadingFindings(run.findings);
  // The sentence about an unreachable server is its finding.
  const lines = leading.filter(({ text }) => text !== run.text).map(({ text }) => `\n  ${text}`).join("");
  const more = others.length === 0 ? "" : `\n  and ${others.length} more`;
  throw new NotProvenError(`Load test ${run.verdict}: ${run.text}${lines}${more}`);
}

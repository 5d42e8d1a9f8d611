/** An assertion on the result of a load test. Pure. @module */
import { type Finding, groupFindings, leadingFindings } from "./judge/findings.ts";
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
  throw new NotProvenError([`Load test ${run.verdict}: ${run.text}`, ...linesOf(run.findings)].join("\n  "));
}

function linesOf(findings: readonly Finding[]): string[] {
  // The sentence about an unreachable server has its reason. Besides, only code of the scenario can have failed.
  const unreachable = findings.some(({ kind }) => kind === "unreachable");
  const told = unreachable ? findings.filter(({ kind }) => kind === "scenario") : findings;
  const { own, following } = groupFindings({ findings: told });
  return [
    ...linesOfGroup(own),
    ...(following.length === 0 ? [] : ["Follows from this:"]),
    ...linesOfGroup(following).map((line) => `  ${line}`),
  ];
}

function linesOfGroup(findings: readonly Finding[]): string[] {
  const { leading, uncounted } = leadingFindings(findings);
  const more = uncounted === 0 ? [] : [`and ${uncounted.toLocaleString("en")} more like these`];
  return [...leading.map(({ text }) => text), ...more];
}

/** Classifies a run by what it shows about the server's capacity. Pure. @module */
import type { Summary } from "../metrics/summary.ts";
import { describeThreshold } from "../metrics/threshold.ts";
import type { Level } from "./search.ts";

/** Errors of this side rather than of the server. */
const OWN_LIMITS = /exhausted|EMFILE|ENFILE|EADDRNOTAVAIL|unreachable/;

/**
 * Classifies a run. An `invalid` run shows nothing about the server. If clients could not connect because ports or
 * descriptors were used up, the limit is the network of this side.
 */
export function classifyRun(
  { verdict, findings, thresholds }: Pick<Summary, "verdict" | "findings" | "thresholds">,
): Pick<Level, "result" | "why"> {
  const crossed = thresholds.filter(({ holds }) => !holds).map(describeThreshold);
  const own = findings.find(({ kind, text }) => kind === "reason" && OWN_LIMITS.test(text));
  if (own !== undefined) return { result: "network", why: own.text };
  const overloaded = findings.find(({ kind }) => kind === "overloaded" || kind === "died");
  if (verdict === "invalid" || overloaded !== undefined) {
    return { result: "invalid", why: overloaded?.text ?? "the run is invalid" };
  }
  if (verdict === "threshold" || crossed.length > 0) return { result: "failed", why: crossed.join(", ") };
  if (verdict === "failed") return { result: "failed", why: findings[0]?.text ?? "the run failed" };
  return { result: "held", why: "" };
}

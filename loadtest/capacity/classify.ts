/** Classifies a run by what it shows about the server's capacity. Pure. @module */
import type { Summary } from "../metrics/summary.ts";
import { describeThreshold } from "../metrics/threshold.ts";
import type { ScenarioMetrics } from "../scenario/measure_scenario.ts";
import type { AlwaysFailing, Level } from "./search.ts";

/** Errors of this side rather than of the server. */
const OWN_LIMITS = /exhausted|EMFILE|ENFILE|EADDRNOTAVAIL|unreachable/;

/** The part of a summary that {@linkcode classifyRun} needs. */
export type ClassifiedRun =
  & Pick<
    Summary,
    | "cause"
    | "verdict"
    | "findings"
    | "thresholds"
    | "clients"
    | "started"
    | "acked"
    | "lost"
    | "underWay"
    | "refused"
  >
  & {
    readonly scenario?: Pick<ScenarioMetrics, "requests" | "wrong" | "notSent" | "sessions">;
  };

/**
 * Classifies a run. An `invalid` run shows nothing about the server. If clients could not connect because ports or
 * descriptors were used up, the limit is the network of this side.
 */
export function classifyRun(run: ClassifiedRun): Omit<Level, "rate" | "confirms"> {
  const always = alwaysFailing(run);
  return {
    ...resultOf(run),
    requests: run.scenario?.requests ?? run.clients,
    ok: run.acked,
    ...(always === undefined ? {} : { always }),
  };
}

function resultOf({ verdict, cause, findings, thresholds }: ClassifiedRun): Pick<Level, "result" | "why"> {
  const crossed = thresholds.filter(({ holds }) => !holds).map(describeThreshold);
  const own = findings.find(({ kind, text }) => kind === "reason" && OWN_LIMITS.test(text));
  if (own !== undefined) return { result: "network", why: own.text };
  const overloaded = findings.find(({ kind }) => kind === "overloaded" || kind === "died");
  if (verdict === "invalid" || overloaded !== undefined) {
    return { result: "invalid", why: overloaded?.text ?? "the run is invalid" };
  }
  if (verdict === "threshold" || crossed.length > 0) return { result: "failed", why: crossed.join(", ") };
  if (verdict === "failed") {
    return { result: "failed", why: cause?.text ?? findings[0]?.text ?? "the run failed" };
  }
  return { result: "held", why: "" };
}

/**
 * Returns what failed if the rate does not explain it. Replies of another session or in another order are not among that:
 * with fewer requests in flight, there may be none of them.
 */
function alwaysFailing(
  { started, acked, lost, underWay, refused, scenario }: ClassifiedRun,
): AlwaysFailing | undefined {
  if (scenario === undefined || started === 0) return undefined;
  const { requests, wrong, notSent, sessions } = scenario;
  if (sessions.threw === started) return "scenario";
  const answered = lost + underWay + refused + notSent === 0 && wrong === requests;
  return answered && acked === 0 && requests > 0 ? "replies" : undefined;
}

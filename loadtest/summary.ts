/** The figures of a run as machines read them: the last line of `--json`. Pure. @module */
import type { Finding } from "./finding.ts";
import { SCHEMA, type ServerState } from "./history.ts";
import type { Percentiles } from "./latency.ts";
import type { Ledger } from "./ledger.ts";
import { type Measures, peakConnections } from "./measures.ts";
import { type CheckedThreshold, checkThreshold, type Threshold } from "./threshold.ts";
import type { Judgement, Verdict } from "./verdict.ts";

/** The figures of a run. Durations are in ms, `null` where nothing was measured; `docs/summary.md` explains each. */
export interface Summary extends Figures {
  readonly verdict: Verdict;
  /** What is wrong, in sentences; at most some twenty of each kind. */
  readonly findings: readonly Finding[];
  /** The thresholds that were set, and how each came out. */
  readonly thresholds: readonly CheckedThreshold[];
  readonly schema: typeof SCHEMA;
}

/** A summary without what is judged from it. */
export interface Figures {
  readonly seed: number;
  readonly clients: number;
  readonly started: number;
  readonly acked: number;
  readonly lost: number;
  readonly unexpected: number;
  readonly duplicates: number;
  readonly recovered: number;
  readonly resent: number;
  readonly redelivered: number;
  readonly reconnects: number;
  /** Attempts to connect that failed. */
  readonly refused: number;
  readonly underWay: number;
  /** `null` where the server does not tell. */
  readonly stray: number | null;
  /** How each client's last connection ended. */
  readonly closed: { readonly natural: number; readonly timeout: number; readonly error: number };
  readonly peakConnections: number;
  /** What the server was left with; `null` when it could not be asked. */
  readonly server: Omit<ServerState, "stray" | "redelivered"> | null;
  /** From the actual start of each client to its ok, and the same from the planned one and without the holds. */
  readonly latency: Percentiles & {
    readonly unit: "ms";
    readonly fromPlanned: Percentiles;
    readonly relay: Percentiles;
  };
  readonly connect: Percentiles;
  /** How long messages were held by those who answered them. */
  readonly held: Percentiles;
  readonly scheduleLag: Percentiles;
  /** Jain's index of the speed at which messages were relayed, from near 0 to 1. */
  readonly fairness: number | null;
  /** Processor time by wall-clock time: 1 is one core, busy all the while. */
  readonly cpu: { readonly server: number | null; readonly generator: number | null };
  readonly durationMs: number;
}

/** What a summary is made from. */
export interface SummaryInput {
  readonly ledger: Ledger;
  readonly judgement: Judgement;
  readonly measures: Measures;
  /** How long the run took, in ms. */
  readonly durationMs: number;
  /** Processor time used by the server and by all generators, in seconds; `null` where unknown. */
  readonly cpuSeconds: { readonly server: number | null; readonly generator: number | null };
  /** Default: none. */
  readonly thresholds?: readonly Threshold[];
}

/** Makes the summary, and sets the verdict to `threshold` where the run is good and one was crossed. */
export function summarize(input: SummaryInput): Summary {
  const { judgement, thresholds = [] } = input;
  const figures = figuresOf(input);
  const checked = thresholds.map((threshold) => checkThreshold(threshold, figures));
  const good = judgement.verdict === "proven" || judgement.verdict === "delivered";
  const crossed = checked.some(({ holds }) => !holds);
  return {
    verdict: good && crossed ? "threshold" : judgement.verdict,
    ...figures,
    findings: judgement.findings,
    thresholds: checked,
    schema: SCHEMA,
  };
}

function figuresOf({ ledger, judgement, measures, durationMs, cpuSeconds }: SummaryInput): Figures {
  const { account } = judgement;
  const { server } = ledger.facts;
  const cores = (seconds: number | null): number | null => {
    return seconds === null || durationMs <= 0 ? null : rounded(1000 * seconds / durationMs);
  };
  return {
    seed: ledger.run.seed,
    clients: account.clients,
    started: account.started,
    acked: account.acked,
    lost: account.lost,
    unexpected: judgement.count("unexpected"),
    duplicates: judgement.count("duplicate"),
    recovered: account.recovered,
    resent: account.resent,
    redelivered: account.redelivered,
    reconnects: account.reconnects,
    refused: account.refused,
    underWay: account.underWay,
    stray: account.stray,
    closed: account.closed,
    peakConnections: peakConnections(ledger),
    server: server && {
      connections: server.connections,
      pending: server.pending,
      timers: server.timers,
      queuedBytes: server.queuedBytes,
      descriptors: server.descriptors,
      closed: server.closed,
    },
    latency: {
      unit: "ms",
      ...measures.total.percentiles(),
      fromPlanned: measures.fromPlanned.percentiles(),
      relay: measures.relay.percentiles(),
    },
    connect: measures.connect.percentiles(),
    held: measures.held.percentiles(),
    scheduleLag: measures.scheduleLag.percentiles(),
    fairness: measures.fairness === null ? null : rounded(measures.fairness),
    cpu: { server: cores(cpuSeconds.server), generator: cores(cpuSeconds.generator) },
    durationMs: Math.round(durationMs),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

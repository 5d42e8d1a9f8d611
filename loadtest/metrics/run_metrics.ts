/** What was counted and measured in a run: a summary without what is judged from it. Pure. @module */
import { type Confidence, measureConfidence } from "./confidence.ts";
import { measureSteps, type ScenarioMetrics } from "../scenario/measure_scenario.ts";
import type { ServerState } from "../history/events.ts";
import type { Percentiles } from "./latency.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Measurements, peakConnections } from "./measure.ts";
import type { ProcessUsage } from "../process/process_usage.ts";
import type { Judgement } from "../judge/verdict.ts";

/** A summary without what is judged from it. */
export interface RunMetrics {
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
  /** How far those percentiles may be trusted. */
  readonly confidence: Confidence;
  readonly connect: Percentiles;
  /** How long messages were held by those who answered them. */
  readonly held: Percentiles;
  readonly scheduleLag: Percentiles;
  /** Jain's index of the speed at which messages were relayed, from near 0 to 1. */
  readonly fairness: number | null;
  /** Processor time by wall-clock time: 1 is one core, busy all the while. */
  readonly cpu: { readonly server: number | null; readonly generator: number | null };
  /** Resident memory at its peak, in bytes; of all generator processes together. */
  readonly memory: { readonly server: number | null; readonly generator: number | null };
  readonly durationMs: number;
  /** What is particular to a scenario; absent for other protocols. */
  readonly scenario?: ScenarioMetrics;
}

/** What figures are made from. */
export interface RunMetricsInput {
  readonly ledger: Ledger;
  readonly judgement: Judgement;
  readonly measures: Measurements;
  /** How long the run took, in ms. */
  readonly durationMs: number;
  /** What the server took, and all generators together. */
  readonly usage: { readonly server: ProcessUsage; readonly generator: ProcessUsage };
}

/** Brings together what was counted and measured. */
export function collectRunMetrics(
  { ledger, judgement, measures, durationMs, usage }: RunMetricsInput,
): RunMetrics {
  const { counts } = judgement;
  const { server } = ledger.facts;
  const cores = (seconds: number | null): number | null => {
    return seconds === null || durationMs <= 0 ? null : rounded(1000 * seconds / durationMs);
  };
  return {
    seed: ledger.run.seed,
    clients: counts.clients,
    started: counts.started,
    acked: counts.acked,
    lost: counts.lost,
    unexpected: judgement.count("unexpected"),
    duplicates: judgement.count("duplicate"),
    recovered: counts.recovered,
    resent: counts.resent,
    redelivered: counts.redelivered,
    reconnects: counts.reconnects,
    refused: counts.refused,
    underWay: counts.underWay,
    stray: counts.stray,
    closed: counts.closed,
    peakConnections: peakConnections(ledger),
    server: server && {
      connections: server.connections,
      pending: server.pending,
      timers: server.timers,
      queuedBytes: server.queuedBytes,
      descriptors: server.descriptors,
      closed: server.closed,
      ...(server.custom === undefined ? {} : { custom: server.custom }),
    },
    latency: {
      unit: "ms",
      ...measures.total.percentiles(),
      fromPlanned: measures.fromPlanned.percentiles(),
      relay: measures.relay.percentiles(),
    },
    confidence: measureConfidence(ledger),
    connect: measures.connect.percentiles(),
    held: measures.held.percentiles(),
    scheduleLag: measures.scheduleLag.percentiles(),
    fairness: measures.fairness === null ? null : rounded(measures.fairness),
    cpu: { server: cores(usage.server.cpuSeconds), generator: cores(usage.generator.cpuSeconds) },
    memory: { server: usage.server.peakMemory, generator: usage.generator.peakMemory },
    durationMs: Math.round(durationMs),
    ...(ledger.run.protocol === "scenario" ? { scenario: measureSteps(ledger) } : {}),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

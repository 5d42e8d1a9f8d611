/** Collects the metrics of a run. Pure. @module */
import { type Confidence, measureConfidence } from "./confidence.ts";
import { measureSteps, type ScenarioMetrics } from "../scenario/measure_scenario.ts";
import type { ServerState } from "../history/events.ts";
import type { Percentiles } from "./latency.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Measurements, peakConnections } from "./measure.ts";
import type { ProcessUsage } from "../process/process_usage.ts";
import type { Judgement } from "../judge/verdict.ts";

/** The metrics of a run: what was counted and measured. Durations are in ms; `null` means not measured. */
export interface RunMetrics {
  /** The seed of the plan. */
  readonly seed: number;
  /** Planned clients. */
  readonly clients: number;
  /** Clients that started. */
  readonly started: number;
  /** Messages that were acknowledged. */
  readonly acked: number;
  /** Messages that were sent and never acknowledged. */
  readonly lost: number;
  /** Messages or oks that should not have arrived. */
  readonly unexpected: number;
  /** Oks beyond the first for one send. */
  readonly duplicates: number;
  /** Messages acknowledged after an earlier attempt failed. */
  readonly recovered: number;
  /** Sends after the first. */
  readonly resent: number;
  /** Messages that the server delivered again. */
  readonly redelivered: number;
  /** Connections that were not a client's last. */
  readonly reconnects: number;
  /** Failed attempts to connect. */
  readonly refused: number;
  /** Messages in flight at the end. */
  readonly underWay: number;
  /** Oks that settled nothing; `null` if the server does not count them. */
  readonly stray: number | null;
  /** Ends of the last connection of each client. */
  readonly closed: { readonly natural: number; readonly timeout: number; readonly error: number };
  /** The most connections open at the same time. */
  readonly peakConnections: number;
  /** State of the server after the run; `null` if it is unknown. */
  readonly server: Omit<ServerState, "stray" | "redelivered"> | null;
  /** From the actual start of each client to its ok; also from its planned start, and without the reply delays. */
  readonly latency: Percentiles & {
    readonly unit: "ms";
    readonly fromPlanned: Percentiles;
    readonly relay: Percentiles;
  };
  /** Confidence intervals of these percentiles. */
  readonly confidence: Confidence;
  /** Duration of connecting. */
  readonly connect: Percentiles;
  /** Time for which receivers held messages before they answered. */
  readonly held: Percentiles;
  /** Delay of client starts. */
  readonly scheduleLag: Percentiles;
  /** Jain's index of the speed at which messages were relayed, from near 0 to 1. */
  readonly fairness: number | null;
  /** Processor time by wall-clock time: 1 is one core in constant use. */
  readonly cpu: { readonly server: number | null; readonly generator: number | null };
  /** Peak resident memory in bytes; all generator processes together. */
  readonly memory: { readonly server: number | null; readonly generator: number | null };
  /** The agents that ran clients; absent if this machine ran all of them. */
  readonly agents?: readonly AgentMetrics[];
  /** Time until the last client finished. */
  readonly durationMs: number;
  /** Metrics of a scenario; absent for other protocols. */
  readonly scenario?: ScenarioMetrics;
}

/** An agent that ran clients. */
export interface AgentMetrics {
  /** Its address. */
  readonly name: string;
  /** Number of its processes. */
  readonly processes: number;
  /** Lead of its clock; all times are corrected by that. */
  readonly clockOffsetMs: number;
  /** Round trip of that measurement: the offset is off by half of it at most. */
  readonly roundTripMs: number;
}

/** Input of {@linkcode collectRunMetrics}. */
export interface RunMetricsInput {
  readonly ledger: Ledger;
  readonly judgement: Judgement;
  readonly measures: Measurements;
  /** Time until the last client finished, in ms. */
  readonly durationMs: number;
  /** Usage of the server, and of all generators together. */
  readonly usage: { readonly server: ProcessUsage; readonly generator: ProcessUsage };
}

/** Collects what was counted and measured. */
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
      ...(server.processes === undefined
        ? {}
        : { processes: server.processes, restarts: server.restarts ?? 0 }),
      ...(server.custom === undefined ? {} : { custom: server.custom }),
      ...(server.unread === undefined ? {} : { unread: server.unread }),
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
    ...(ledger.facts.agents.length === 0 ? {} : { agents: measureAgents(ledger) }),
    ...(ledger.run.protocol === "scenario" ? { scenario: measureSteps(ledger) } : {}),
  };
}

/** One entry for each agent, with the best measurement of its clock. */
function measureAgents({ facts }: Ledger): AgentMetrics[] {
  return [...Map.groupBy(facts.agents, ({ name }) => name)].map(([name, events]) => {
    const best = events.reduce((one, other) => other.roundTrip < one.roundTrip ? other : one);
    return {
      name,
      processes: events.length,
      clockOffsetMs: rounded(best.offset),
      roundTripMs: rounded(best.roundTrip),
    };
  });
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

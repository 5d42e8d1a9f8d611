/** Options for a load test in a program, and the plans that they describe. @module */
import type { Clock } from "../internal/clock.ts";
import type { Address, Network } from "../socket/network.ts";
import type { RunControl } from "./pace/run_control.ts";
import { type FaultSpec, parseFaults } from "./plan/fault_spec.ts";
import { parsePayload } from "./plan/payload.ts";
import { Plan } from "./plan/plan.ts";
import { parseReplyDelay } from "./plan/reply_delay.ts";
import { type LoadShape, parseRate, parseStages } from "./scenario/load_shape.ts";
import { type Scenario, type ScenarioDuration, toMs } from "./scenario/scenario.ts";
import { scenarioPlan, stagesOf } from "./scenario/scenario_plan.ts";

/** Options of every load test. Durations are in ms, or text such as `100ms` or `5m`. */
export interface LoadTestOptions {
  /** The server: an address, several of them for the clients to share, or text such as `127.0.0.1:8000`. */
  readonly target: Address | readonly Address[] | string;
  /** The number of clients. Default 100. */
  readonly clients?: number;
  /** The clients start within this time. Default 1 ms per client. */
  readonly window?: ScenarioDuration;
  /** The seed of the plan: the same seed gives the same plan. Default 1. */
  readonly seed?: number;
  /** Longest wait for a reply. Default 30 s. */
  readonly timeout?: ScenarioDuration;
  /** When the run ends at the latest. Default: window + duration + 2 × timeout. */
  readonly deadline?: ScenarioDuration;
  /**
   * The verdict is `invalid` if the generator lags by more. Default 1 hour: a test shares its machine with others, and
   * proves delivery rather than durations.
   */
  readonly maxLag?: ScenarioDuration;
  /** Thresholds, such as `p99<500ms`. Default: none. */
  readonly thresholds?: readonly string[];
  /**
   * Asks the server for figures that must all be 0 after the run, such as its open connections. Default: that of the
   * scenario; otherwise the best verdict is `delivered`.
   */
  readonly expectState?: () => Promise<Readonly<Record<string, number>>>;
  /** Default: real sockets. */
  readonly network?: Network;
  /** Default: real time. With a virtual clock, the same seed gives the same run. */
  readonly clock?: Clock;
  /** Pauses and resumes the run, and changes its rate. Default: nothing does. */
  readonly control?: RunControl;
  /** Interrupts the run. */
  readonly signal?: AbortSignal;
  /** Receives the lines of the history, which `loadtest.ts verify` can judge again. */
  readonly onHistoryLine?: (line: string) => void;
}

/** Options for a load test with a scenario. */
export interface ScenarioTestOptions<Frame = unknown, Shared = unknown> extends LoadTestOptions {
  /** The actions of each client. */
  readonly scenario: Scenario<Frame, Shared>;
  /** Messages on each connection, for a scenario with `message`. Default 1. */
  readonly messages?: number;
  /** Limit of messages without a reply on each connection. Default 1, or unlimited with a rate. */
  readonly inFlight?: number;
  /** Pause between two messages. Default 0. */
  readonly think?: ScenarioDuration;
  /** When no more messages start. Default: when all are sent. */
  readonly duration?: ScenarioDuration;
  /** Messages per second on all connections together, as in `500/s`, for `duration`. */
  readonly rate?: string;
  /** Rates over time, as in `30s:0→500/s, 5m:500/s`. */
  readonly stages?: string;
  /** Messages due before this are proven, and not measured. Default 0. */
  readonly warmup?: ScenarioDuration;
}

/** Options for a load test with clients of a built-in protocol. */
export interface ProtocolTestOptions extends LoadTestOptions {
  /**
   * The protocol: each client sends one message to a relay or to a line echo, or gets `/` of an HTTP server. A client
   * without a reply reconnects, and tries again.
   */
  readonly protocol: "relay" | "echo" | "hello";
  /** Time for which a relay client holds a message before it answers, such as `uniform:0s-5s`. Default: 0. */
  readonly replyDelay?: string;
  /** The messages: `short`, `mixed`, or a size such as `size:1KiB`. Default `short`. */
  readonly payload?: string;
  /** The token that relay clients send first. Default: none. */
  readonly token?: string;
  /** Faults to inject into the connections, as in `reset=1%,slice`. Default: none. */
  readonly faults?: string;
}

const CLIENTS = 100;

/** Returns the plan of a scenario test, and its load. */
export function planScenarioTest(
  options: ScenarioTestOptions<unknown, unknown>,
): { readonly plan: Plan; readonly load: LoadShape } {
  const load = loadOf(options);
  return { load, plan: scenarioPlan({ scenario: options.scenario, load, ...commonOf(options) }) };
}

/** Returns the plan of a protocol test, and the faults to inject. */
export function planProtocolTest(
  options: ProtocolTestOptions,
): { readonly plan: Plan; readonly faults: FaultSpec | undefined } {
  const { replyDelay = "0", payload = "short", faults } = options;
  const { timeout, deadline, ...common } = commonOf(options);
  const plan = new Plan({
    ...common,
    arrival: "uniform",
    replyDelay: parseReplyDelay(replyDelay),
    payload: parsePayload(payload),
    ...(timeout === undefined ? {} : { timeout }),
    ...(deadline === undefined ? {} : { deadline }),
  });
  return { plan, faults: faults === undefined ? undefined : parseFaults(faults) };
}

function commonOf(
  { seed = 1, clients = CLIENTS, window = clients, timeout, deadline }: LoadTestOptions,
): {
  readonly seed: number;
  readonly clients: number;
  readonly window: number;
  readonly timeout: number | undefined;
  readonly deadline: number | undefined;
} {
  return {
    seed,
    clients,
    window: toMs(window),
    timeout: timeout === undefined ? undefined : toMs(timeout),
    deadline: deadline === undefined ? undefined : toMs(deadline),
  };
}

function loadOf(options: ScenarioTestOptions<unknown, unknown>): LoadShape {
  const { messages, inFlight, think, duration, rate, stages, warmup } = options;
  return {
    ...(messages === undefined ? {} : { messages }),
    ...(inFlight === undefined ? {} : { inFlight }),
    ...(think === undefined ? {} : { think: toMs(think) }),
    ...(warmup === undefined ? {} : { warmup: toMs(warmup) }),
    ...stagesOf({
      ...(rate === undefined ? {} : { rate: parseRate(rate) }),
      ...(stages === undefined ? {} : { stages: parseStages(stages) }),
      ...(duration === undefined ? {} : { duration: toMs(duration) }),
    }),
  };
}

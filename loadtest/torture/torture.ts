/**
 * The torture suite: peers that are broken, greedy or hostile, against any server of lines.
 *
 * Every case is bounded in time and size. After each, an honest peer must be served.
 *
 * @module
 */
import type { Random } from "../../socket/network.ts";
import { Bench, type BenchOptions, type Observation, type TortureCase } from "./bench.ts";
import { crowdCases } from "./crowd_cases.ts";
import { floodCases } from "./flood_cases.ts";
import { framingCases } from "./framing_cases.ts";

/** What came of one case. */
export interface TortureResult extends Observation {
  readonly name: string;
  /** How long it took, ms. */
  readonly ms: number;
  /** How long an honest peer then waited for its answer, ms; `null` when it got none. */
  readonly probeMs: number | null;
}

/** How to torture. */
export interface TortureOptions extends BenchOptions {
  /** Numbers uniform in [0, 1), for random bytes. */
  readonly random: Random;
  /** Longest time in ms for one case. Default 60,000. */
  readonly caseTimeout?: number;
  /** Only the cases whose names contain this. */
  readonly only?: string;
  readonly signal?: AbortSignal;
  /** Told before each case. */
  readonly onCase?: (name: string) => void;
}

const CASE_TIMEOUT_MS = 60_000;

/** All cases, the mildest first. */
export function tortureCases(random: Random): readonly TortureCase[] {
  return [...framingCases(random), ...crowdCases, ...floodCases];
}

/** Runs the cases one after another; a result without a `fault` is a case survived. */
export async function* torture(options: TortureOptions): AsyncIterableIterator<TortureResult> {
  const { only = "", random } = options;
  for (const one of tortureCases(random)) {
    if (!one.name.includes(only)) continue;
    if (options.signal?.aborted) return;
    options.onCase?.(one.name);
    yield await runCase(one, options);
  }
}

async function runCase(one: TortureCase, options: TortureOptions): Promise<TortureResult> {
  const { caseTimeout = CASE_TIMEOUT_MS } = options;
  using bench = new Bench(options);
  const start = performance.now();
  const late = Promise.withResolvers<Observation>();
  const timer = setTimeout(
    () => late.resolve({ saw: "", fault: `not done within ${caseTimeout} ms` }),
    caseTimeout,
  );
  const run = one.run(bench).catch((error): Observation => ({
    saw: "",
    fault: error instanceof Error ? error.message : String(error),
  }));
  const observation = await Promise.race([run, late.promise]);
  clearTimeout(timer);
  const ms = performance.now() - start;
  bench[Symbol.dispose](); // The crowd leaves before the honest peer comes.
  using after = new Bench(options);
  const probe = await after.probe();
  const probeMs = typeof probe === "number" ? probe : null;
  const fault = observation.fault ?? (typeof probe === "string" ? `afterwards: ${probe}` : undefined);
  return { name: one.name, ms, probeMs, saw: observation.saw, ...(fault === undefined ? {} : { fault }) };
}

/**
 * The torture suite: peers that are broken, greedy or hostile, against any server of lines.
 *
 * Every case is bounded in time and size. After each, an honest peer must be served.
 *
 * @module
 */
import type { Random } from "../../internal/clock.ts";
import { type Observation, type TortureCase, TortureRig, type TortureRigOptions } from "./rig.ts";
import { crowdCases } from "./crowd_cases.ts";
import { floodCases } from "./flood_cases.ts";
import { framingCases } from "./framing_cases.ts";
import type { TargetProcess } from "./target_process.ts";

/** What came of one case. */
export interface TortureResult extends Observation {
  readonly name: string;
  /** How long it took, ms. */
  readonly ms: number;
  /** How long an honest peer then waited for its answer, ms; `null` when it got none. */
  readonly probeMs: number | null;
  /** What the server's processes then held, where they can be looked at: open sockets, and memory in bytes. */
  readonly sockets?: number;
  readonly memory?: number;
}

/** How to torture. */
export interface TortureOptions extends TortureRigOptions {
  /** Numbers uniform in [0, 1), for random bytes. */
  readonly random: Random;
  /** Longest time in ms for one case. Default 60,000. */
  readonly caseTimeout?: number;
  /** The server's processes: no case may leave sockets in them. Default: they are not looked at. */
  readonly process?: TargetProcess | undefined;
  /** Only the cases whose names contain this. */
  readonly only?: string;
  readonly signal?: AbortSignal;
  /** Told before each case. */
  readonly onCase?: (name: string) => void;
}

const CASE_TIMEOUT_MS = 60_000;
const PATIENCE_MS = 5000;
/** In which somebody may start a server again that has crashed. */
const RESTART_MS = 1000;
/** A server may open some of its own accord meanwhile: to a database, to another service. */
const SOCKETS_OF_ITS_OWN = 4;

/** All cases, the mildest first. */
export function tortureCases(random: Random): readonly TortureCase[] {
  return [...framingCases(random), ...crowdCases, ...floodCases];
}

/** The names of the cases that have `only` in them. */
export function caseNames(only: string): readonly string[] {
  return tortureCases(() => 0).map(({ name }) => name).filter((name) => name.includes(only));
}

/**
 * Runs the cases one after another; a result without a `fault` is a case survived. Ends early where the server is gone
 * after one, and does not come back: the others would only say the same.
 */
export async function* torture(options: TortureOptions): AsyncIterableIterator<TortureResult> {
  const { only = "", random } = options;
  for (const one of tortureCases(random)) {
    if (!one.name.includes(only)) continue;
    if (options.signal?.aborted) return;
    options.onCase?.(one.name);
    const result = await runCase(one, options);
    yield result;
    if (result.probeMs === null && await isGone(options)) return;
  }
}

async function isGone(options: TortureOptions): Promise<boolean> {
  using bench = new TortureRig(options);
  await bench.pause(RESTART_MS);
  return typeof await bench.probe() === "string";
}

async function runCase(one: TortureCase, options: TortureOptions): Promise<TortureResult> {
  const { caseTimeout = CASE_TIMEOUT_MS, process } = options;
  const before = process?.heldResources();
  using bench = new TortureRig(options);
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
  using others = new TortureRig(options);
  const probe = await others.probe();
  const probeMs = typeof probe === "number" ? probe : null;
  const { saw, unjudged } = observation;
  const after = before && await process?.settled(before.sockets, options.patience ?? PATIENCE_MS);
  const more = after === undefined || before === undefined ? 0 : after.sockets - before.sockets;
  const fault = observation.fault ?? (typeof probe === "string" ? `afterwards: ${probe}` : undefined) ??
    (more > SOCKETS_OF_ITS_OWN ? `afterwards the server holds ${more} sockets more than before` : undefined);
  return {
    name: one.name,
    ms,
    probeMs,
    saw,
    ...(fault === undefined ? {} : { fault }),
    ...(unjudged === undefined ? {} : { unjudged }),
    ...after,
  };
}

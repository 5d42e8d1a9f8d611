/**
 * The torture suite: malformed, greedy, and hostile peers against any line server.
 *
 * Every case is limited in time and size. After each case, the server must serve an honest peer.
 *
 * @module
 */
import type { Random } from "../../internal/clock.ts";
import { type Observation, type TortureCase, TortureRig, type TortureRigOptions } from "./rig.ts";
import { crowdCases } from "./crowd_cases.ts";
import { floodCases } from "./flood_cases.ts";
import { framingCases } from "./framing_cases.ts";
import type { TargetProcess } from "./target_process.ts";

/** The result of one case. */
export interface TortureResult extends Observation {
  readonly name: string;
  /** Duration of the case in ms. */
  readonly ms: number;
  /** Time in ms until an honest peer was answered after the case; `null` if it was not. */
  readonly probeMs: number | null;
  /** Open sockets of the server's processes after the case, and their memory in bytes, if known. */
  readonly sockets?: number;
  readonly memory?: number;
}

/** Options for {@linkcode torture}. */
export interface TortureOptions extends TortureRigOptions {
  /** Random numbers in [0, 1), for random bytes. */
  readonly random: Random;
  /** Longest time in ms for one case. Default: 60,000. */
  readonly caseTimeout?: number;
  /** The server's processes, in which no case may leave sockets. Default: not observed. */
  readonly process?: TargetProcess | undefined;
  /** Runs only the cases whose names contain this. */
  readonly only?: string;
  readonly signal?: AbortSignal;
  /** Called before each case. */
  readonly onCase?: (name: string) => void;
}

const CASE_TIMEOUT_MS = 60_000;
const PATIENCE_MS = 5000;
/** Time in ms in which a crashed server may be restarted. */
const RESTART_MS = 1000;
/** Sockets that a server may open by itself during a case, such as to a database. */
const SOCKETS_OF_ITS_OWN = 4;

/** Returns all cases, the mildest first. */
export function tortureCases(random: Random): readonly TortureCase[] {
  return [...framingCases(random), ...crowdCases, ...floodCases];
}

/** Returns the names of the cases that contain `only`. */
export function caseNames(only: string): readonly string[] {
  return tortureCases(() => 0).map(({ name }) => name).filter((name) => name.includes(only));
}

/**
 * Runs the cases one after another. The server has survived a case if its result has no `fault`. Ends early if the server
 * is gone after a case and does not come back, because all further results would be the same.
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
  using rig = new TortureRig(options);
  await rig.pause(RESTART_MS);
  return typeof await rig.probe() === "string";
}

async function runCase(one: TortureCase, options: TortureOptions): Promise<TortureResult> {
  const { caseTimeout = CASE_TIMEOUT_MS, process } = options;
  const before = process?.heldResources();
  using rig = new TortureRig(options);
  const start = performance.now();
  const late = Promise.withResolvers<Observation>();
  const timer = setTimeout(
    () => late.resolve({ saw: "", fault: `not done within ${caseTimeout} ms` }),
    caseTimeout,
  );
  const run = one.run(rig).catch((error): Observation => ({
    saw: "",
    fault: error instanceof Error ? error.message : String(error),
  }));
  const observation = await Promise.race([run, late.promise]);
  clearTimeout(timer);
  const ms = performance.now() - start;
  rig[Symbol.dispose](); // The crowd disconnects before the honest peer connects.
  using others = new TortureRig(options);
  const probe = await others.probe();
  const probeMs = typeof probe === "number" ? probe : null;
  const { saw, unjudged } = observation;
  const after = before && await process?.settled(before.sockets, options.patience ?? PATIENCE_MS);
  const more = after === undefined || before === undefined ? 0 : after.sockets - before.sockets;
  const fault = observation.fault ?? (typeof probe === "string" ? `afterwards: ${probe}` : undefined) ??
    (more > SOCKETS_OF_ITS_OWN ? `afterwards the server holds ${more} more sockets than before` : undefined);
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

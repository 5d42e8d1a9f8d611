/** Makes a scenario ready to run: its data is read, and its `setup` runs. @module */
import type { Clock } from "../../internal/clock.ts";
import type { ServerState } from "../history/events.ts";
import { assignRows, type DataRow, parseRows } from "./data_rows.ts";
import type { LoadShape } from "./load_shape.ts";
import type { Scenario } from "./scenario.ts";
import type { PreparedScenario } from "./scenario_runner.ts";

/** Options for {@linkcode prepareScenario}. */
export interface PrepareScenarioOptions {
  readonly clients: number;
  readonly seed: number;
  readonly load: LoadShape;
  /** URL of the scenario file. Default: none, and data files are relative to the working directory. */
  readonly file?: string;
}

/** A scenario cannot be used: `setup` failed, or its data is invalid. */
export class ScenarioError extends Error {
  /** Always `ScenarioError`. */
  override readonly name = "ScenarioError";
}

/**
 * Reads the data and runs `setup`.
 *
 * @throws {ScenarioError} If `setup` throws, data are invalid, or there are fewer rows than clients.
 */
export async function prepareScenario(
  scenario: Scenario,
  { clients, seed, load, file }: PrepareScenarioOptions,
): Promise<PreparedScenario> {
  assertLoad(scenario, load);
  const rows = await loadRows(scenario, file);
  if (rows !== undefined) orScenarioError(() => assignRows(rows.rows, { ...rows, clients, seed }));
  let shared: unknown;
  try {
    shared = await scenario.setup?.();
  } catch (cause) {
    throw new ScenarioError(`Cannot set up the scenario: ${messageOf(cause)}`, { cause });
  }
  return {
    scenario,
    shared,
    load,
    ...(rows === undefined ? {} : { rows }),
    ...(file === undefined ? {} : { file }),
  };
}

/** The rows of a scenario's data. */
export async function loadRows(
  { data }: Scenario,
  file?: string,
): Promise<{ rows: readonly DataRow[]; reuse: boolean; name: string } | undefined> {
  if (data === undefined) return undefined;
  if (Array.isArray(data)) return { rows: data as readonly DataRow[], reuse: false, name: "The data" };
  const { file: name, reuse = false } = typeof data === "string"
    ? { file: data }
    : data as { file: string; reuse?: boolean };
  try {
    const text = await Deno.readTextFile(file === undefined ? name : new URL(name, file));
    return { rows: parseRows(name, text), reuse, name };
  } catch (cause) {
    throw new ScenarioError(`Cannot use the data file ${name}: ${messageOf(cause)}`, { cause });
  }
}

/** Interval at which the state of the server is read, and the longest time until it must be 0, in ms. */
const POLL_MS = 50;
const ZERO_TIMEOUT = 5000;

/** Asks the server for its state until every figure is 0, or 5 seconds have passed; `null` if it cannot be asked. */
export async function askFinalState(
  { expectState }: { readonly expectState?: Scenario["expectState"] | undefined },
  { clock, descriptors }: { readonly clock: Clock; readonly descriptors?: () => number | null },
): Promise<ServerState | null> {
  if (expectState === undefined && descriptors === undefined) return null;
  const giveUpAt = clock.now() + ZERO_TIMEOUT;
  while (true) {
    const custom = await expectState?.();
    const sockets = descriptors?.() ?? null;
    const zero = Object.values(custom ?? {}).every((value) => value === 0) && (sockets ?? 0) === 0;
    if (zero || clock.now() >= giveUpAt) {
      return {
        connections: null,
        pending: null,
        timers: null,
        queuedBytes: null,
        descriptors: sockets,
        closed: {},
        ...(custom === undefined ? {} : { custom }),
      };
    }
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}

function assertLoad({ message }: Scenario, { messages, inFlight, think, duration }: LoadShape): void {
  if (message !== undefined) return;
  const given = Object.entries({ messages, "in-flight": inFlight, think, duration })
    .find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new ScenarioError(
    `Cannot use --${given} with this scenario: it has only session(t), expected message(t) for one message`,
  );
}

function orScenarioError<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    throw new ScenarioError(messageOf(cause), { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

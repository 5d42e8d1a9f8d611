/** Makes a scenario ready to run: its data is read, and its `setup` runs. @module */
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";
import { callLimited } from "./call_limited.ts";
import { assignRows, type DataRow, parseRows } from "./data_rows.ts";
import { messageOf, ScenarioError } from "./errors.ts";
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
  /** Measures the limit of 5 minutes for `setup`. Default: real time, because `setup` may do I/O while a run is simulated. */
  readonly clock?: Clock;
  /** Stops waiting for `setup`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the data and runs `setup`.
 *
 * @throws {ScenarioError} If `setup` throws or does not finish within 5 minutes, data are invalid, or there are fewer rows
 * than clients.
 */
export async function prepareScenario(
  scenario: Scenario,
  { clients, seed, load, file, clock = systemClock, signal }: PrepareScenarioOptions,
): Promise<PreparedScenario> {
  assertLoad(scenario, load);
  const rows = await loadRows(scenario, file);
  if (rows !== undefined) orScenarioError(() => assignRows(rows.rows, { ...rows, clients, seed }));
  const called = await callLimited(async () => await scenario.setup?.(), {
    name: "setup()",
    file,
    clock,
    within: CALL_TIMEOUT,
    signal,
  });
  const { failure } = called;
  if (failure !== undefined) {
    throw new ScenarioError(`Cannot set up the scenario: ${failure}`, { cause: called.cause });
  }
  const { value: shared } = called;
  if (file !== undefined) assertJson(shared);
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

/** Longest time for `setup` and for `teardown`, in ms: they may fill a database, but one that hangs must not block CI. */
const CALL_TIMEOUT = 5 * 60_000;
/** The same for `teardown` after an interrupted run, whose results wait for it. */
const INTERRUPTED_TIMEOUT = 10_000;

/** Calls the `teardown` of a prepared scenario, once. Disposing of it does that if nothing else has. */
export class Teardown implements AsyncDisposable {
  readonly #prepared: PreparedScenario;
  readonly #options: Pick<PrepareScenarioOptions, "clock" | "signal">;
  #called = false;

  /** @param options.signal Stops waiting for `teardown`; if it has aborted before, there are 10 seconds left. */
  constructor(prepared: PreparedScenario, options: Pick<PrepareScenarioOptions, "clock" | "signal"> = {}) {
    this.#prepared = prepared;
    this.#options = options;
  }

  /** Calls `teardown` unless it was called. Resolves with what went wrong, or `undefined`. */
  async call(): Promise<string | undefined> {
    if (this.#called) return undefined;
    this.#called = true;
    const { scenario, shared, file } = this.#prepared;
    const { clock = systemClock, signal } = this.#options;
    const { failure } = await callLimited(async () => await scenario.teardown?.(shared), {
      name: "teardown()",
      file,
      clock,
      ...(signal?.aborted ? { within: INTERRUPTED_TIMEOUT } : { within: CALL_TIMEOUT, signal }),
    });
    return failure;
  }

  /** @throws {ScenarioError} If `teardown` fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failure = await this.call();
    if (failure !== undefined) throw new ScenarioError(`Cannot tear down the scenario: ${failure}`);
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

/** Clients of a scenario from a file run in other processes. */
function assertJson(shared: unknown): void {
  try {
    JSON.stringify(shared);
  } catch (cause) {
    throw new ScenarioError(
      `Cannot set up the scenario: setup() returned a value that cannot be passed on as JSON: ${
        messageOf(cause)
      }`,
      { cause },
    );
  }
}

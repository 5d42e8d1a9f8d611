/** A prepared scenario on its way to another process: as its file, and what was prepared from it. @module */
import { importScenario } from "./import_scenario.ts";
import type { LoadShape } from "./load_shape.ts";
import { loadRows } from "./prepare_scenario.ts";
import type { PreparedScenario } from "./scenario_runner.ts";

/** Plain data for another process. */
export interface ScenarioOrder {
  readonly file: string;
  /** The result of `setup`, as JSON. */
  readonly shared?: unknown;
  readonly load: LoadShape;
}

/**
 * The order for a scenario.
 *
 * @throws {TypeError} If it was not loaded from a file.
 */
export function orderOf({ file, shared, load }: PreparedScenario): ScenarioOrder {
  if (file === undefined) throw new TypeError("Cannot run the scenario in another process: it has no file");
  return { file, shared, load };
}

/** The scenario of an order: imported, and its data read. `setup` has run already. */
export async function scenarioOf({ file, shared, load }: ScenarioOrder): Promise<PreparedScenario> {
  const scenario = await importScenario(file, file);
  const rows = await loadRows(scenario, file);
  return { scenario, file, shared, load, ...(rows === undefined ? {} : { rows }) };
}

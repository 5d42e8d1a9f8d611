/** Imports a scenario from its file. @module */
import { describeThrown, ScenarioError } from "./errors.ts";
import { isScenario, type Scenario } from "./scenario.ts";

/**
 * Imports the scenario that a module exports as its default.
 *
 * @param url The module.
 * @param name Its name, for errors.
 * @throws {ScenarioError} If the module throws, or does not export a scenario.
 */
export async function importScenario(url: string, name: string): Promise<Scenario> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(url);
  } catch (cause) {
    if (cause instanceof TypeError && /not found|Import|resolve/i.test(cause.message)) {
      throw new ScenarioError(`Cannot load ${name}: ${cause.message.split("\n", 1)[0]}`, { cause });
    }
    throw new ScenarioError(`Cannot load ${name}: it ${describeThrown(cause, url)}`, { cause });
  }
  const exported = module["default"];
  if (isScenario(exported)) return exported;
  const got = exported === undefined
    ? `no default export${Object.keys(module).length === 0 ? "" : `, only ${Object.keys(module).join(", ")}`}`
    : `a default export of type ${typeof exported}`;
  throw new ScenarioError(`Cannot run ${name}: expected "export default scenario({ … })", got ${got}`);
}

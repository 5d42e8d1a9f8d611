/** Imports a scenario from its file. @module */
import { printable } from "../../internal/printable.ts";
import { describeThrown, messageOf, ScenarioError } from "./errors.ts";
import { assertScenario, isScenario, type Scenario } from "./scenario.ts";

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
    const why = describeLoading(cause) ?? `it ${describeThrown(cause, url)}`;
    throw new ScenarioError(`Cannot load ${name}: ${why}`, { cause });
  }
  const exported = module["default"];
  if (isScenario(exported)) {
    try {
      assertScenario(exported);
    } catch (cause) {
      throw new ScenarioError(`Cannot run ${name}: ${messageOf(cause)}`, { cause });
    }
    return exported;
  }
  const got = exported === undefined
    ? `no default export${Object.keys(module).length === 0 ? "" : `, only ${Object.keys(module).join(", ")}`}`
    : `a default export of type ${typeof exported}`;
  throw new ScenarioError(`Cannot run ${name}: expected "export default scenario({ … })", got ${got}`);
}

/** Returns the message of a module loader, with the place from its last line: `Module not found "…" at echo.ts:2:19`. */
function describeLoading(error: unknown): string | undefined {
  if (!(error instanceof TypeError)) return undefined;
  const [, text, place] = /^(.*?)\.?$[\s\S]*^\s+at \S*?([^/\s]+:\d+:\d+)$/m.exec(error.message) ?? [];
  if (text !== undefined) return `${printable(text)} at ${place}`;
  return /not found|import|resolve/i.test(error.message) ? messageOf(error) : undefined;
}

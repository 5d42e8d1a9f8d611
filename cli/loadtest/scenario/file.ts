/** The scenario file of `loadtest.ts run FILE`: its types are checked, then it is imported. @module */
import { toFileUrl } from "../../shared/file_url.ts";
import { UsageError } from "../../terminal/exit.ts";
import { importScenario } from "../../../loadtest/scenario/import_scenario.ts";
import { ScenarioError } from "../../../loadtest/scenario/prepare_scenario.ts";
import type { Scenario } from "../../../loadtest/scenario/scenario.ts";
import { checkTypes, type TypeCheck } from "./type_check.ts";

/** A scenario with the file that it comes from. */
export interface ScenarioFile {
  readonly scenario: Scenario;
  /** As the user wrote it. */
  readonly name: string;
  /** URL of the file. */
  readonly url: string;
}

/**
 * Opens a scenario file: checks its types, and imports it.
 *
 * @param options.check Whether to check its types.
 * @param options.assertOptions Throws a `UsageError` for options of the run that make no sense, before the types are checked,
 * which takes long.
 * @throws {UsageError} If there is no such file, its types are wrong, or it does not export a scenario.
 * @throws {ExitError} If its types cannot be checked.
 */
export async function openScenarioFile(
  path: string,
  { check, assertOptions, ...options }: Pick<TypeCheck, "log" | "signal"> & {
    readonly check: boolean;
    readonly assertOptions: () => void;
  },
): Promise<ScenarioFile> {
  const url = toFileUrl(path);
  try {
    await Deno.stat(new URL(url));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(
      `Cannot run ${path}: no such file, and no command of this name; see loadtest.ts --help`,
      { cause },
    );
  }
  assertOptions();
  if (check) await checkTypes({ path, url, ...options });
  try {
    return { scenario: await importScenario(url, path), name: path, url };
  } catch (cause) {
    if (cause instanceof ScenarioError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}

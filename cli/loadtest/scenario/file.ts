/** The scenario file of `loadtest.ts run FILE`: its types are checked, then it is imported. @module */
import { toFileUrl } from "../../shared/file_url.ts";
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import { callLimited } from "../../../loadtest/scenario/call_limited.ts";
import { divertOutput } from "../../../loadtest/scenario/divert_output.ts";
import { describeThrown, ScenarioError } from "../../../loadtest/scenario/errors.ts";
import { forbidExit } from "../../../loadtest/scenario/forbid_exit.ts";
import { importScenario } from "../../../loadtest/scenario/import_scenario.ts";
import type { Scenario } from "../../../loadtest/scenario/scenario.ts";
import { catchStrayErrors } from "../../../loadtest/scenario/stray_errors.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { checkTypes, type TypeCheck } from "./type_check.ts";

/** A scenario with the file that it comes from. Disposing of it leaves stray errors, exits, and output to the runtime. */
export interface ScenarioFile extends Disposable {
  readonly scenario: Scenario;
  /** As the user wrote it. */
  readonly name: string;
  /** URL of the file. */
  readonly url: string;
  /** Returns what its code threw so far where nothing could catch it, in this process; each error once. */
  strayErrors(): readonly string[];
}

/** Longest time to import it, in ms: a module may read its data first. */
const IMPORT_TIMEOUT = 5 * 60_000;

/**
 * Opens a scenario file: checks its types, and imports it.
 *
 * @param options.check Whether to check its types.
 * @param options.assertOptions Throws a `UsageError` for options of the run that make no sense, before the types are checked,
 * which takes long.
 * @throws {UsageError} If there is no such file, its types are wrong, or it does not export a scenario.
 * @throws {ExitError} If its types cannot be checked, or `signal` aborts.
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
    throw new UsageError(`Cannot run ${path}: no such file${await missingFileHint(path)}`, { cause });
  }
  assertOptions();
  if (check) await checkTypes({ path, url, ...options });
  const { log, signal } = options;
  const stray: string[] = [];
  using contained = new DisposableStack();
  contained.use(catchStrayErrors((part, error) => {
    const text = `${part} ${describeThrown(error, url)}`;
    log.error(`In the scenario, ${text}`); // Now, because what it was to do may never be done.
    stray.push(text);
  }));
  contained.use(forbidExit());
  contained.use(divertOutput());
  const imported = await callLimited(() => importScenario(url, path), {
    name: "it",
    clock: systemClock,
    within: IMPORT_TIMEOUT,
    signal,
  });
  if (imported.failure === undefined) {
    const containing = contained.move();
    return {
      scenario: imported.value,
      name: path,
      url,
      strayErrors: () => stray.splice(0),
      [Symbol.dispose]: () => containing.dispose(),
    };
  }
  if (signal.aborted) {
    throw new ExitError(`Interrupted while loading ${path}`, { exitCode: ExitCode.interrupted });
  }
  const { failure, cause } = imported;
  throw new UsageError(cause instanceof ScenarioError ? cause.message : `Cannot load ${path}: ${failure}`, {
    cause,
  });
}

/** Explains what a path without a file may have meant: a file without its extension, or a command. */
async function missingFileHint(path: string): Promise<string> {
  if (/\.[a-z]+$/.test(path)) return "";
  const named = `${path}.ts`;
  const exists = await Deno.stat(new URL(toFileUrl(named))).then(({ isFile }) => isFile, () => false);
  return exists ? ` (did you mean ${named}?)` : ", and no command of this name; see loadtest.ts --help";
}

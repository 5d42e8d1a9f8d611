/** The scenario file of `loadtest.ts run FILE`: its types are checked, then it is imported. @module */
import { toFileUrl } from "../../shared/file_url.ts";
import { ExitError, UsageError } from "../../terminal/exit.ts";
import { describeEnd } from "../../../loadtest/process/child_process.ts";
import { importScenario } from "../../../loadtest/scenario/import_scenario.ts";
import { ScenarioError } from "../../../loadtest/scenario/prepare_scenario.ts";
import type { Scenario } from "../../../loadtest/scenario/scenario.ts";

/** A scenario with the file that it comes from. */
export interface ScenarioFile {
  readonly scenario: Scenario;
  /** URL of the file. */
  readonly url: string;
}

/** Most characters of a type error that are shown. */
const SHOWN = 300;

/**
 * Checks the types of a scenario file, and imports it.
 *
 * @throws {UsageError} If there is no such file, its types are wrong, or it does not export a scenario.
 * @throws {ExitError} If its types cannot be checked.
 */
export async function openScenarioFile(path: string): Promise<ScenarioFile> {
  const url = toFileUrl(path);
  try {
    await Deno.stat(new URL(url));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(
      `Cannot run ${path}: no such file, and no command of this name; see loadtest.ts --help`,
      {
        cause,
      },
    );
  }
  await checkTypes(path, url);
  try {
    return { scenario: await importScenario(url, path), url };
  } catch (cause) {
    if (cause instanceof ScenarioError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}

/** A compiled program has no compiler at hand; there the types go unchecked. */
async function checkTypes(path: string, url: string): Promise<void> {
  if (Deno.build.standalone) return;
  const { success, code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", ...await ownConfig(), url],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const text = new TextDecoder().decode(stderr);
  if (text.trim() === "") {
    throw new ExitError(
      `Cannot check the types of ${path}: "deno check" ended with ${describeEnd({ code, signal })}`,
    );
  }
  const [, error = text.split("\n", 1)[0]!] = /^(TS\d+ \[ERROR\]: .*)$/m.exec(text) ?? [];
  const [, place] = /^\s+at (file:\S+)$/m.exec(text) ?? [];
  const [, count] = /^Found (\d+) errors/m.exec(text) ?? [];
  const more = count === undefined ? "" : ` (and ${Number(count) - 1} more)`;
  const where = place === undefined ? "" : ` at ${place.split("/").at(-1)}`;
  throw new UsageError(`Cannot run ${path}: ${error.replace(" [ERROR]", "").slice(0, SHOWN)}${where}${more}`);
}

/** The configuration that this program itself runs with, where it runs from its source. */
async function ownConfig(): Promise<string[]> {
  const config = new URL("../../../deno.json", import.meta.url);
  if (config.protocol !== "file:") return [];
  try {
    await Deno.stat(config);
    return ["--config", decodeURIComponent(config.pathname)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

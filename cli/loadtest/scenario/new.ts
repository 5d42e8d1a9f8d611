/** `loadtest.ts new NAME`: writes a commented scenario to start from. @module */
import { basename } from "node:path";
import { ExitCode, UsageError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { quoted } from "../../../internal/printable.ts";
import { fileError, isFileError } from "../../shared/file_error.ts";
import { invocation } from "../../shared/invocation.ts";
import TEMPLATE from "./template.txt" with { type: "text" };

/**
 * Writes a scenario.
 *
 * @param name The file, with or without `.ts`.
 * @throws {UsageError} If there is such a file already.
 * @throws {ExitError} If it cannot be written.
 */
export async function writeScenario(name: string, log: Log): Promise<ExitCode> {
  const command = `${invocation("loadtest")} run`;
  const path = /\.[mc]?tsx?$/.test(name) ? name : `${name}.ts`;
  try {
    await Deno.writeTextFile(path, TEMPLATE.replace("RUN_COMMAND", `${command} ${basename(path)}`), {
      createNew: true,
    });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new UsageError(`Cannot write ${quoted(path)}: it exists already`, { cause });
    }
    throw isFileError(cause) ? fileError(`write ${quoted(path)}`, cause) : cause;
  }
  log.result(`Wrote ${path}. Run it: ${command} ${path} --target HOST:PORT`, {
    event: "written",
    path,
  });
  return ExitCode.ok;
}

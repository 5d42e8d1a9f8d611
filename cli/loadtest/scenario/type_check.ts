/** Checks the types of a scenario file with `deno check`. @module */
import { fileURLToPath } from "node:url";
import { printable } from "../../../internal/printable.ts";
import { describeEnd } from "../../../loadtest/process/child_process.ts";
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { type CheckError, checkErrors } from "./check_output.ts";

/** A check that takes longer than this, in ms, says that it runs: the first one of a machine takes many seconds. */
const SILENT_MS = 1000;
/** The folder of this program. */
const ROOT = new URL("../../../", import.meta.url).href;

/** A scenario file, and what its check needs. */
export interface TypeCheck {
  /** As the user wrote it. */
  readonly path: string;
  readonly url: string;
  readonly log: Log;
  /** Ends the check. */
  readonly signal: AbortSignal;
}

/**
 * Checks types. A compiled program has no compiler at hand; there the types go unchecked.
 *
 * @throws {UsageError} If the types are wrong.
 * @throws {ExitError} If they cannot be checked, or the check was interrupted.
 */
export async function checkTypes({ path, url, log, signal }: TypeCheck): Promise<void> {
  if (Deno.build.standalone) return;
  const timer = setTimeout(() => log.info(`Checking the types of ${path} …`), SILENT_MS);
  try {
    const { success, code, signal: endedBy, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", ...await ownConfig(), url],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal,
    }).output();
    // Ctrl-C may reach the check, which is in the same process group, before it reaches this process.
    if (signal.aborted || endedBy === "SIGINT" || endedBy === "SIGTERM") {
      throw new ExitError(`Interrupted while checking the types of ${path}`, {
        exitCode: ExitCode.interrupted,
      });
    }
    if (success) return;
    const text = new TextDecoder().decode(stderr);
    if (text.trim() === "") {
      const end = describeEnd({ code, signal: endedBy });
      throw new ExitError(`Cannot check the types of ${path}: "deno check" ended with ${end}`);
    }
    throw typeError(text, { path, url, root: ROOT });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns what to say about the output of a `deno check` that failed: the first error in a file of the user, or else the
 * first one in this program.
 *
 * @param options.path The scenario file, as the user wrote it.
 * @param options.root URL of the folder of this program.
 */
export function typeError(
  output: string,
  { path, url, root }: { readonly path: string; readonly url: string; readonly root: string },
): ExitError {
  const errors = checkErrors(output);
  const theirs = errors.filter(({ file }) => file === undefined || file === url || !file.startsWith(root));
  const [first] = theirs;
  if (first !== undefined) {
    const more = theirs.length === 1 ? "" : ` (and ${theirs.length - 1} more)`;
    return new UsageError(`Cannot run ${path}: ${describe(first, url)}${more}${hintFor(first)}`);
  }
  const [own] = errors;
  if (own !== undefined) {
    return new ExitError(
      `Cannot run ${path}: it is not at fault, but okline itself does not pass the type check: ${
        describe(own, url)
      }`,
    );
  }
  return new UsageError(`Cannot run ${path}: ${printable(output.trim().replaceAll(/\s+/g, " "))}`);
}

function describe({ text, file, place }: CheckError, scenario: string): string {
  return file === undefined ? text : `${text} at ${nameOf(file, scenario)}${place}`;
}

/** The name of a file, from the folder of the scenario if it is inside. */
function nameOf(file: string, scenario: string): string {
  const folder = new URL(".", scenario).href;
  if (file.startsWith(folder)) return decodeURIComponent(file.slice(folder.length));
  return file.startsWith("file:") ? decodeURIComponent(new URL(file).pathname) : file;
}

function hintFor({ text }: CheckError): string {
  if (!text.includes("not in import map")) return "";
  return "; a scenario imports okline by name, its own files as ./FILE.ts, and packages as npm:NAME or jsr:NAME";
}

/** The configuration that this program itself runs with, where it runs from its source. */
async function ownConfig(): Promise<string[]> {
  const config = new URL("deno.json", ROOT);
  if (config.protocol !== "file:") return [];
  try {
    const imports = checkedImports(JSON.parse(await Deno.readTextFile(config)), ROOT);
    const map = `data:application/json,${encodeURIComponent(JSON.stringify({ imports }))}`;
    return ["--config", fileURLToPath(config), "--import-map", map];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The parts of `deno.json` that say what a name stands for. */
export interface NamedModules {
  readonly imports: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly name: string;
}

/**
 * Returns the imports of the check. In place of the package's export, which is the program as well, it gets the library that
 * the export passes on: the types are the same, and the program would double the time.
 */
export function checkedImports(
  { imports, exports, name }: NamedModules,
  root: string,
): Record<string, string> {
  const program = new URL("cli/loadtest/package_export.ts", root).href;
  const library = new URL("loadtest/mod.ts", root).href;
  const own = Object.entries(exports).map(([path, file]) => {
    const url = new URL(file, root).href;
    return [name + path.slice(1), url === program ? library : url];
  });
  return { ...imports, ...Object.fromEntries(own), [program]: library };
}

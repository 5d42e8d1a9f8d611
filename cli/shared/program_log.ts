/** The log of a program that runs for long, from its options. @module */
import type { Values } from "../args/program.ts";
import { type ExitCode, ExitError } from "../terminal/exit.ts";
import { Log } from "../terminal/log.ts";
import { LOG_LEVELS, type LogLevel } from "../terminal/log_message.ts";
import type { jsonOption, logOptions, quietOption } from "./output_options.ts";

type LogValues = Values<typeof jsonOption & typeof quietOption & typeof logOptions>;

/** Returns the lowest level that is written. `--quiet` raises it to warnings, and `--verbose` lowers it to `debug`. */
export function lowestLevel(
  { quiet, logLevel }: Pick<LogValues, "quiet" | "logLevel">,
  { verbose }: { readonly verbose: boolean },
): LogLevel {
  const level = logLevel ?? (verbose ? "debug" : "info");
  return quiet && LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf("warning") ? "warning" : level;
}

/**
 * Returns the log of a program.
 *
 * @param program Such as `server`, for the category of its messages.
 */
export async function startLog(
  program: string,
  values: LogValues,
  options: { readonly verbose: boolean },
): Promise<Log & Disposable> {
  const { startStructuredLog } = await import("../terminal/structured_log.ts");
  const writer = startStructuredLog({
    program,
    format: values.logFormat,
    level: lowestLevel(values, options),
  });
  const log = new Log({ json: values.json, writer });
  return Object.assign(log, { [Symbol.dispose]: () => writer[Symbol.dispose]() });
}

/** Runs a program, and logs an {@linkcode ExitError} that ends it. Returns the exit code. */
export async function logFailure(log: Log, run: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    log.error(error.message);
    return error.exitCode;
  }
}

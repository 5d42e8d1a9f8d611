/**
 * Runs a program so that its busy connections are served evenly (see `starvation.ts`), and ends the process with the
 * program's exit code. This file is all that an executable's first thread loads; keep it small.
 *
 * @module
 */
import { ExitCode, ExitError } from "./terminal/exit.ts";
import { CURE_VALUE, CURE_VARIABLE, mayUseVariable, starvationCured } from "./starvation.ts";

/** What a program is handed. */
export interface Context {
  /** The command line, without the program. */
  readonly args: readonly string[];
  /**
   * Calls `handler` at each of these signals, in place of the system's default, which is to end the process. The
   * listening keeps no program alive. Signals that this system does not have are left out.
   */
  onSignal(signals: readonly Deno.Signal[], handler: (signal: Deno.Signal) => void): void;
}

/**
 * A program: settles with its exit code when all is done and said. An {@linkcode ExitError} ends it with one line on
 * stderr and the code it carries, any other error with its stack and 1.
 */
export type Main = (context: Context) => Promise<ExitCode>;

const WORKER_NAME = "okline program";

/** The two things of a Worker's global scope that are used here; this is checked as code of a first thread. */
interface WorkerScope {
  readonly name?: string;
  postMessage?(message: unknown): void;
}

/**
 * Runs `main` and exits with its code, whatever else is still under way, such as a read of stdin.
 *
 * Where the cure is in the environment already, `main` runs on this thread. Otherwise this thread puts it there and
 * loads the same module again in a Worker, where this call runs `main`. Stdin, stdout, the command line and
 * signals are the same in both. Where the permissions do not allow a Worker (the variable, and reading the
 * module's folder), `main` runs on this thread uncured, after a warning.
 *
 * Called by the module that is the program, and by nothing before it that costs time, since it loads twice:
 *
 * ```ts ignore
 * export async function main(context: Context): Promise<ExitCode> {
 *   const { serve } = await import("./cli/server/main.ts");
 *   return await serve(context);
 * }
 *
 * if (import.meta.main) await run(main, import.meta);
 * ```
 */
export async function run(main: Main, meta: ImportMeta): Promise<void> {
  const scope: WorkerScope = globalThis;
  if (scope.name === WORKER_NAME) {
    scope.postMessage?.(await settle(main));
  } else if (starvationCured()) {
    Deno.exit(await settle(main));
  } else if (mayUseVariable() && mayLoad(meta.url)) {
    Deno.env.set(CURE_VARIABLE, CURE_VALUE);
    await runInWorker(meta.url);
  } else {
    const { Log } = await import("./terminal/log.ts");
    new Log().warn(
      `Many busy connections may starve one another: set ${CURE_VARIABLE}=${CURE_VALUE} and allow it to be read ` +
        `(--allow-env=${CURE_VARIABLE}), or allow the program's folder to be read as well`,
    );
    Deno.exit(await settle(main));
  }
}

// MB for the young generation of the heap. With V8's own 48 a burst of connections leaves pages behind that are a
// quarter of all memory then. Collecting them more often costs less than a tenth of the processor's time, and that only
// where thousands are busy at once.
const YOUNG_GENERATION = 12;

/** Runs the module in a Worker and exits with the code it posts, or with 1 where it ends otherwise. */
async function runInWorker(url: string): Promise<void> {
  // What ends it otherwise the Worker has printed.
  Deno.exitCode = ExitCode.failure;
  if (Deno.build.standalone) {
    // Loads faster than the other, and the program was compiled with the same bound for its heap.
    const worker = new Worker(url, { type: "module", name: WORKER_NAME });
    worker.onmessage = ({ data }: MessageEvent<ExitCode>) => Deno.exit(data);
    worker.onerror = () => Deno.exit(ExitCode.failure);
  } else {
    const threads = await import("node:worker_threads");
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION };
    // Its own copy of the environment would want the permission for all of it, which a terminal is asked for.
    const worker = new threads.Worker(new URL(url), {
      name: WORKER_NAME,
      resourceLimits,
      env: threads.SHARE_ENV,
    });
    worker.on("message", (code: ExitCode) => Deno.exit(code));
    worker.on("error", () => Deno.exit(ExitCode.failure));
  }
}

/** Whether a Worker may load the module at `url` and what is beside it. A compiled program carries its modules along. */
function mayLoad(url: string): boolean {
  if (Deno.build.standalone || !url.startsWith("file:")) return true;
  return Deno.permissions.querySync({ name: "read", path: new URL(".", url) }).state === "granted";
}

async function settle(main: Main): Promise<ExitCode> {
  try {
    return await main({ args: Deno.args, onSignal });
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const { Log } = await import("./terminal/log.ts");
    new Log().error(error.message);
    return error.exitCode;
  }
}

const WINDOWS_SIGNALS: ReadonlySet<Deno.Signal> = new Set(["SIGINT", "SIGBREAK", "SIGHUP"]);

function onSignal(signals: readonly Deno.Signal[], handler: (signal: Deno.Signal) => void): void {
  for (const signal of signals) {
    if (Deno.build.os === "windows" && !WINDOWS_SIGNALS.has(signal)) continue;
    Deno.addSignalListener(signal, () => handler(signal));
  }
}

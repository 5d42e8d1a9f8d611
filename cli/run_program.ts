/**
 * Runs a program with fair I/O, and exits with the program's code. This file is all that the first thread of an
 * executable loads; keep it small.
 *
 * Fair I/O: Deno's I/O driver spends tokio's cooperative budget of 128 events per turn on whichever connections come
 * first. With more busy connections, the others are polled in vain, some of them for seconds. A lower number of events
 * per tick, set in the environment, leaves budget for all.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { ExitCode, ExitError } from "./terminal/exit.ts";

/** The version in `deno.json`. */
export const VERSION: string = config.version;

// A scenario of a load test may not exit, and replaces this function while it runs.
const { exit } = Deno;

/** Returns the name of a program: `server.ts`, or `okline-server` if it is compiled. */
export function programName(name: string): string {
  return Deno.build.standalone ? `okline-${name}` : `${name}.ts`;
}

/** Deno reads this variable when the runtime of a thread starts. Any value but a number stops Deno. */
export const FAIR_IO_VARIABLE = "DENO_TOKIO_MAX_IO_EVENTS_PER_TICK";

/** The environment of a process with fair I/O. The value, half the budget, measured best. */
export const FAIR_IO_ENV: Readonly<Record<string, string>> = { [FAIR_IO_VARIABLE]: "64" };

// Read when this module loads: setting the variable later only affects Workers and processes started from then on.
const setAtStart = mayUseVariable() && Deno.env.get(FAIR_IO_VARIABLE) !== undefined;

/** Whether this thread has fair I/O. Also `false` if the program may not read the variable. */
export function hasFairIo(): boolean {
  return setAtStart;
}

/** Whether the program may read and set the variable. Never prompts. */
function mayUseVariable(): boolean {
  return Deno.permissions.querySync({ name: "env", variable: FAIR_IO_VARIABLE }).state === "granted";
}

/** The arguments of a program. */
export interface Context {
  /** The command line, without the program. */
  readonly args: readonly string[];
  /**
   * Calls `handler` on each of these signals instead of ending the process. Listening does not keep the program alive.
   * Signals that the OS does not have are skipped.
   */
  onSignal(signals: readonly Deno.Signal[], handler: (signal: Deno.Signal) => void): void;
}

/**
 * A program, which resolves to its exit code. An {@linkcode ExitError} ends it with one line on stderr and the error's
 * code; any other error ends it with a stack trace and code 1.
 */
export type Main = (context: Context) => Promise<ExitCode>;

const WORKER_NAME = "okline program";

/** The parts of a Worker's global scope used here; this file is type-checked for the first thread. */
interface WorkerScope {
  readonly name?: string;
  postMessage?(message: unknown): void;
}

/** Options for {@linkcode run}. */
export interface RunOptions {
  /**
   * The limit in MB for the young generation of the heap, or 0 for none. With thousands of connections, a limit saves a tenth of
   * the memory or more; at each start, it costs 50 ms of CPU time. Default 12.
   */
  readonly youngGeneration?: number | undefined;
  /** Warn if the program runs without fair I/O. Without a warning, `main` must check {@linkcode hasFairIo}. Default `true`. */
  readonly warn?: boolean;
}

/**
 * Runs `main` and exits with its code, even if something is still pending, such as a read of stdin.
 *
 * If the environment already asks for fair I/O, `main` runs on this thread. Otherwise, this thread sets the variable and
 * loads the same module again in a Worker, where this call runs `main`. Stdin, stdout, the command line, and signals
 * are the same in both. Without the permissions for a Worker (the variable, and reading the module's folder), `main`
 * runs on this thread without fair I/O, after a warning.
 *
 * The program's module calls it before doing anything that takes time, because it loads twice:
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
export async function run(
  main: Main,
  meta: Pick<ImportMeta, "url">,
  { youngGeneration = YOUNG_GENERATION, warn = true }: RunOptions = {},
): Promise<void> {
  const scope: WorkerScope = globalThis;
  if (scope.name === WORKER_NAME) {
    scope.postMessage?.(await settle(main));
  } else if (hasFairIo()) {
    exit(await settle(main));
  } else if (mayUseVariable() && mayLoad(meta.url)) {
    for (const [name, value] of Object.entries(FAIR_IO_ENV)) Deno.env.set(name, value);
    await runInWorker(meta.url, youngGeneration);
  } else {
    if (warn) await warnOfStarvation();
    exit(await settle(main));
  }
}

async function warnOfStarvation(): Promise<void> {
  const { Log } = await import("./terminal/log.ts");
  new Log().warn(
    `Busy connections may starve others: set ${FAIR_IO_VARIABLE}=${
      FAIR_IO_ENV[FAIR_IO_VARIABLE]
    } and allow it ` +
      `to be read (--allow-env=${FAIR_IO_VARIABLE}), or also allow the program's folder to be read`,
  );
}

// MB for the young generation of the heap. With V8's default of 48, a burst of connections leaves pages behind that make
// up a quarter of all memory. Collecting them more often costs less than a tenth of the CPU time, and only with
// thousands of busy connections. With 6, promises of pending reads are moved to the old generation before they die: 116 instead
// of 92 MB for 100 connections on Deno's sockets.
const YOUNG_GENERATION = 12;

/** The same limit for a child process, which runs on its first thread: V8 has three semi-spaces. */
export const HEAP_FLAG = `--v8-flags=--max-semi-space-size=${YOUNG_GENERATION / 3}`;

/** Runs the module in a Worker and exits with the code that it posts, or with 1 if it ends in any other way. */
async function runInWorker(url: string, youngGeneration: number): Promise<void> {
  // The Worker prints the error that ends it.
  Deno.exitCode = ExitCode.failure;
  // A compiled program was compiled with the heap limit.
  if (Deno.build.standalone || youngGeneration === 0) {
    // Starts in half the time of a Worker of `node:worker_threads`.
    const worker = new Worker(url, { type: "module", name: WORKER_NAME });
    worker.onmessage = ({ data }: MessageEvent<ExitCode>) => exit(data);
    worker.onerror = () => exit(ExitCode.failure);
  } else {
    // The heap of a Worker of Deno can be limited only by a flag, with which it took 42 MB more and passed on a tenth fewer
    // messages.
    const threads = await import("node:worker_threads");
    const resourceLimits = { maxYoungGenerationSizeMb: youngGeneration };
    // A copy of the environment would need permission for all of it, and prompt for that on a terminal.
    const worker = new threads.Worker(new URL(url), {
      name: WORKER_NAME,
      resourceLimits,
      env: threads.SHARE_ENV,
    });
    worker.on("message", (code: ExitCode) => exit(code));
    worker.on("error", () => exit(ExitCode.failure));
  }
}

/** Whether a Worker may load the module at `url` and those next to it. A compiled program contains its modules. */
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

/**
 * `timeout 60 deno run …` signals the process and then its group, so that the same signal arrives twice. For SIGINT and
 * SIGTERM, whose repetition means "now", a second one within this many ms counts as the first.
 */
const SAME_SIGNAL_MS = 100;
const REPEATABLE: ReadonlySet<Deno.Signal> = new Set(["SIGINT", "SIGTERM"]);

function onSignal(signals: readonly Deno.Signal[], handler: (signal: Deno.Signal) => void): void {
  for (const signal of signals) {
    if (Deno.build.os === "windows" && !WINDOWS_SIGNALS.has(signal)) continue;
    let last = -Infinity;
    Deno.addSignalListener(signal, () => {
      const now = performance.now();
      if (REPEATABLE.has(signal) && now - last < SAME_SIGNAL_MS) return;
      last = now;
      handler(signal);
    });
  }
}

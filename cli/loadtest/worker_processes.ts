/**
 * The child processes of a load test: its server and its generators. Ctrl-C reaches every process of a terminal, and
 * `timeout 60 deno run …` signals the whole process group. The parent alone reacts to that: its server ignores such
 * signals and ends when its stdin does, so a run is never blamed on a server that the same signal ended. All children
 * end when the parent is gone, even if it was killed.
 *
 * @module
 */
import { TextLineStream } from "@std/streams/text-line-stream";
import { type Context, run } from "../run_program.ts";
import { ExitCode, ExitError } from "../terminal/exit.ts";
import { writeLine } from "../terminal/write.ts";
import { fileError, isFileError } from "../shared/file_error.ts";
import { parseTransport, transportNetwork } from "../shared/transport_option.ts";
import { PART_NAMES, respawnCommand } from "./respawn.ts";

/** The signals that a terminal or a supervisor sends to all processes of a run. */
const PARENT_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Runs the child that the command line names, or returns `undefined` if it names none. */
export async function runNamedPart(context: Context): Promise<ExitCode | undefined> {
  const [name, ...args] = context.args;
  if (name === PART_NAMES.server) {
    context.onSignal(PARENT_SIGNALS, () => {});
    const onSignal: Context["onSignal"] = (signals, handler) =>
      context.onSignal(signals.filter((signal) => !PARENT_SIGNALS.includes(signal)), handler);
    const { runServer } = await import("../server/main.ts");
    return await runServer({ args, onSignal }, {
      untilStdinEnds: true,
      respawn: respawnCommand(PART_NAMES.serverProcess),
    });
  }
  if (name === PART_NAMES.serverProcess) {
    // In a process group of its own, so that only the server signals it, to end it.
    const { runServer } = await import("../server/main.ts");
    return await runServer({ ...context, args });
  }
  if (name === PART_NAMES.generator) return await runGenerator(context, args);
  return undefined;
}

/** Runs the clients that the lines on stdin ask for. */
async function runGenerator({ onSignal }: Context, args: readonly string[]): Promise<ExitCode> {
  onSignal(["SIGINT"], () => {});
  // Before anything is loaded, because `timeout` and supervisors signal the whole process group at any time.
  const stopped = new AbortController();
  onSignal(["SIGTERM"], () => stopped.abort());
  const { runWorker } = await import("../../loadtest/generate/worker.ts");
  const network = await transportNetwork(parseTransport(args));
  const orders = new TransformStream<string, string>();
  const parentGone = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .pipeTo(orders.writable)
    .then(() => ExitCode.failure);
  // A scenario has no part in what this process writes.
  const stdout = { writeSync: Deno.stdout.writeSync.bind(Deno.stdout), isTerminal: () => false };
  const part = runWorker({
    orders: orders.readable[Symbol.asyncIterator](),
    send: (line) => writeLine(stdout, JSON.stringify(line)),
    network,
    stopped: stopped.signal,
  });
  const done = part.then(() => ExitCode.ok, (cause) => {
    throw isFileError(cause) ? fileError("write a part of the history", cause) : cause;
  });
  return await Promise.race([done, parentGone]);
}

async function main(context: Context): Promise<ExitCode> {
  const code = await runNamedPart(context);
  if (code === undefined) {
    throw new ExitError(`Cannot run ${context.args[0]}: expected ${Object.values(PART_NAMES).join(" or ")}`);
  }
  return code;
}

if (import.meta.main) await run(main, import.meta);

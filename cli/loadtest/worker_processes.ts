/**
 * The parts of a load test that run as processes of their own: its server, its generators. They leave SIGINT to the
 * process that started them (a Ctrl-C reaches all of a terminal's processes), and end when that is gone, however it went.
 *
 * @module
 */
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Context } from "../run_program.ts";
import { ExitCode } from "../terminal/exit.ts";
import { writeLine } from "../terminal/log.ts";
import { runWorker } from "../../loadtest/generate/worker.ts";
import { fileError, isFileError } from "../shared/file_error.ts";
import { parseTransport, transportNetwork } from "../shared/transport_option.ts";
import { runServer } from "../server/main.ts";

/** The words by which a load test starts its parts; they are not for people, and so not in its help. */
export const PART_NAMES = { server: "own-server", generator: "generator" } as const;

/** Runs the part that the command line names, or gives `undefined` where it names none. */
export async function runNamedPart(context: Context): Promise<ExitCode | undefined> {
  const [name, ...args] = context.args;
  if (name === PART_NAMES.server) {
    context.onSignal(["SIGINT"], () => {});
    const onSignal: Context["onSignal"] = (signals, handler) =>
      context.onSignal(signals.filter((signal) => signal !== "SIGINT"), handler);
    return await runServer({ args, onSignal }, { untilStdinEnds: true });
  }
  if (name === PART_NAMES.generator) return await runGenerator(context, args);
  return undefined;
}

/** Runs the clients that lines on stdin order. */
async function runGenerator({ onSignal }: Context, args: readonly string[]): Promise<ExitCode> {
  const network = await transportNetwork(parseTransport(args));
  onSignal(["SIGINT"], () => {});
  const orders = new TransformStream<string, string>();
  const parentGone = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .pipeTo(orders.writable)
    .then(() => ExitCode.failure);
  const part = runWorker({
    orders: orders.readable[Symbol.asyncIterator](),
    send: (line) => writeLine(Deno.stdout, JSON.stringify(line)),
    network,
    onStop: (stop) => onSignal(["SIGTERM"], stop),
  });
  const done = part.then(() => ExitCode.ok, (cause) => {
    throw isFileError(cause) ? fileError("write a part of the history", cause) : cause;
  });
  return await Promise.race([done, parentGone]);
}

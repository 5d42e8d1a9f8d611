/** The control channel of a server: commands on stdin, answers on stdout. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { Log } from "../cli/log.ts";
import { quoted } from "../cli/printable.ts";
import type { Gate } from "./gate.ts";
import type { RunningService } from "./service.ts";

/** What a line may ask for. */
const COMMANDS = "state, suspend or resume";

/** Answers each line on stdin with a line of JSON, until stdin ends: `state` with the service's figures. */
export async function answerControl(service: RunningService, gate: Gate): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const log = new Log({ json: true, quiet: true });
  for await (const line of lines) log.result("", answer(line, service, gate));
}

function answer(line: string, service: RunningService, gate: Gate): Readonly<Record<string, unknown>> {
  switch (line) {
    case "state":
      return { event: "state", ...service.stats() };
    case "suspend":
      return refusal(gate.suspend()) ?? { event: "suspended" };
    case "resume":
      return refusal(gate.resume()) ?? { event: "resumed" };
    default:
      return { event: "error", message: `Unknown command ${quoted(line)}: expected ${COMMANDS}` };
  }
}

function refusal(why: string | undefined): Readonly<Record<string, unknown>> | undefined {
  return why === undefined ? undefined : { event: "error", message: why };
}

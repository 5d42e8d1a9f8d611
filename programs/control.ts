/** The control channel of a server: questions on stdin, answers on stdout. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { Log } from "../cli/log.ts";
import { quoted } from "../cli/printable.ts";
import type { RunningService } from "./service.ts";

/** Answers each line `state` on stdin with the service's figures, until stdin ends. */
export async function answerControl(service: RunningService): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const log = new Log({ json: true, quiet: true });
  for await (const line of lines) {
    const answer = line === "state"
      ? { event: "state", ...service.stats() }
      : { event: "error", message: `Unknown command ${quoted(line)}: expected state` };
    log.result("", answer);
  }
}

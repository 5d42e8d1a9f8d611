/** The control channel of a server: commands on stdin, answers on stdout. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { Log } from "../terminal/log.ts";
import { quoted } from "../../internal/printable.ts";
import type { SuspendControl } from "./suspend.ts";
import type { RunningService } from "./service_command.ts";

/** Answers each line on stdin with a line of JSON, until stdin ends: `state` with the service's figures. */
export async function answerControl(service: RunningService, gate: SuspendControl): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
    new TextLineStream(),
  );
  const log = new Log({ json: true, quiet: true });
  for await (const line of lines) {
    if (line === "state") await service.collect?.();
    log.result("", answerCommand(line, service, gate));
  }
}

/** What a line is answered by, as JSON. */
export type ControlReply = Readonly<Record<string, unknown>>;

/** Does what a line asks for. */
export function answerCommand(line: string, service: RunningService, gate: SuspendControl): ControlReply {
  switch (line) {
    case "state":
      return { event: "state", ...service.stats() };
    case "suspend":
      return refusal(gate.suspend()) ?? { event: "suspended" };
    case "resume":
      return refusal(gate.resume()) ?? { event: "resumed" };
  }
  const ofBackend = /^(drain|undrain) (.+)$/.exec(line);
  if (ofBackend !== null) return turnBackend(service, ofBackend[2]!, { on: ofBackend[1] === "undrain" });
  return { event: "error", message: `Unknown command ${quoted(line)}: expected ${commandsOf(service)}` };
}

/** What a line may ask for. */
function commandsOf({ drainBackend }: RunningService): string {
  return drainBackend === undefined
    ? "state, suspend or resume"
    : "state, suspend, resume, drain HOST:PORT or undrain HOST:PORT";
}

/** Gives a backend of the service no new connections, or new ones again. */
function turnBackend(service: RunningService, name: string, { on }: { readonly on: boolean }): ControlReply {
  if (service.drainBackend === undefined || service.restoreBackend === undefined) {
    return {
      event: "error",
      message: `Cannot ${on ? "undrain" : "drain"}: this service has no backends to choose from`,
    };
  }
  try {
    if (on) service.restoreBackend(name);
    else service.drainBackend(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { event: "error", message: error.message };
  }
  return { event: on ? "undrained" : "draining", backend: name };
}

function refusal(why: string | undefined): ControlReply | undefined {
  return why === undefined ? undefined : { event: "error", message: why };
}

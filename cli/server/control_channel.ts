/** The control channel of a server: commands on stdin, answers on stdout. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { Log } from "../terminal/log.ts";
import { quoted } from "../../internal/printable.ts";
import type { ServiceLimits, ServiceMonitor } from "../../admin/service/service_monitor.ts";
import { answerMonitorCommand } from "./monitor_commands.ts";
import type { SuspendControl } from "./suspend.ts";
import type { RunningService } from "./service_command.ts";

/** Changes that the control channel can make to a service. */
export interface ControlTools {
  readonly gate: SuspendControl;
  /** `undefined` if the service has no limits that can change. */
  readonly limits: ServiceLimits | undefined;
  /** Watches this process for the admin server of the first one. Default: there is none. */
  readonly monitor?: ServiceMonitor | undefined;
}

/** Answers each line on stdin with a line of JSON, until stdin ends. */
export async function answerControl(service: RunningService, tools: ControlTools): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
    new TextLineStream(),
  );
  const log = new Log({ json: true, quiet: true });
  for await (const line of lines) {
    const answer = tools.monitor && answerMonitorCommand(line, tools.monitor);
    log.result("", await (answer ?? answerCommand(line, service, tools)));
  }
}

/** The JSON that answers a line. */
export type ControlReply = Readonly<Record<string, unknown>>;

/** Runs the command of a line. Its answer follows when it has had its effect. */
export async function answerCommand(
  line: string,
  service: RunningService,
  tools: ControlTools,
): Promise<ControlReply> {
  const { gate, limits } = tools;
  switch (line) {
    case "state":
      await service.collect?.();
      return { event: "state", ...service.stats() };
    case "suspend":
      return refusal(await gate.suspend()) ?? { event: "suspended" };
    case "resume":
      return refusal(await gate.resume()) ?? { event: "resumed" };
  }
  const changes = /^limits(?: (.*))?$/.exec(line);
  if (changes !== null) return await changeLimits(limits, changes[1] ?? "");
  const ofBackend = /^(drain|undrain) (.+)$/.exec(line);
  if (ofBackend !== null) {
    return await turnBackend(service, ofBackend[2]!, { on: ofBackend[1] === "undrain" });
  }
  return { event: "error", message: `Unknown command ${quoted(line)}: expected ${commandsOf(service)}` };
}

/** Changes limits as in `max-connections=100&idle-timeout=30s`; an empty text changes none. */
async function changeLimits(limits: ServiceLimits | undefined, text: string): Promise<ControlReply> {
  if (limits === undefined) {
    return { event: "error", message: "Cannot change limits: this service takes no connections" };
  }
  try {
    if (text !== "") await limits.set(new URLSearchParams(text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { event: "error", message: error.message };
  }
  return { event: "limits", ...limits.current };
}

/** Returns the commands that a service takes. */
function commandsOf({ drainBackend }: RunningService): string {
  return drainBackend === undefined
    ? "state, suspend, resume, or limits NAME=VALUE"
    : "state, suspend, resume, limits NAME=VALUE, drain HOST:PORT, or undrain HOST:PORT";
}

/** Gives a backend of the service no new connections, or new ones again. */
async function turnBackend(
  service: RunningService,
  name: string,
  { on }: { readonly on: boolean },
): Promise<ControlReply> {
  if (service.drainBackend === undefined || service.restoreBackend === undefined) {
    return {
      event: "error",
      message: `Cannot ${on ? "undrain" : "drain"}: this service has no backends to choose from`,
    };
  }
  try {
    if (on) await service.restoreBackend(name);
    else await service.drainBackend(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { event: "error", message: error.message };
  }
  return { event: on ? "undrained" : "draining", backend: name };
}

function refusal(why: string | undefined): ControlReply | undefined {
  return why === undefined ? undefined : { event: "error", message: why };
}

/** `server.ts echo`, a line echo. @module */
import type { Values } from "../../args/program.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { EchoCounter } from "../echo_stats.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  processOptions,
  servicePort,
} from "../service_options.ts";

const options = {
  ...servicePort(8080),
  ...processOptions,
  ...connectionOptions,
  ...lineOptions,
};

/** The command. With `--verbose`, it logs a throughput line for every few seconds with traffic. */
export const echo = {
  summary: "Send back each line",
  options,
  examples: [
    ["echo", "An echo on 127.0.0.1:8080"],
    ["echo --port 7 --verbose", "On the standard port for echo, with throughput on stderr"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startEcho } = await import("../../../services/echo/service.ts");
    const listen = await listenOptions(values, host);
    return startEcho({ ...listen, limits: { ...listen.limits, maxLine: values.maxLine } });
  },
  report(service: RunningService, values: Values<typeof options>, { log }: ServiceHost): void {
    if (!values.verbose) return;
    const counter = new EchoCounter({
      count: () => messagesOf(service.stats()),
      show: (line) => log.info(line),
      clock: systemClock,
    });
    const stop = (): void => counter.stop();
    // Added before anything else waits for the end: the last line must be out before the server ends.
    service.finished.then(stop, stop);
  },
} as const satisfies Service;

/** Returns the count of one process, or the sum of several. */
function messagesOf(stats: object): number {
  return "messages" in stats ? Number(stats.messages) : 0;
}

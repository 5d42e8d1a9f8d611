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
    const { log } = host;
    const { startEcho } = await import("../../../services/echo/service.ts");
    const listen = await listenOptions(values, host);
    const service = startEcho({ ...listen, limits: { ...listen.limits, maxLine: values.maxLine } });
    if (!values.verbose) return service;
    const counter = new EchoCounter({
      count: () => service.stats().messages,
      show: (line) => log.info(line),
      clock: systemClock,
    });
    return {
      addresses: service.addresses,
      // The last line of metrics must be out before the server ends.
      finished: service.finished.finally(() => counter.stop()),
      stats: () => service.stats(),
      connections: service.connections,
      setLimits: (limits, timeouts) => service.setLimits(limits, timeouts),
      suspend: () => service.suspend(),
      resume: () => service.resume(),
      shutdown: () => service.shutdown(),
      close: () => service.close(),
    };
  },
} as const satisfies Service;

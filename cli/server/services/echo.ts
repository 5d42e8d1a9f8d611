/** `server.ts echo`. @module */
import type { Values } from "../../args/program.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { EchoCounter } from "../echo_stats.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
} from "../service_command.ts";

const options = {
  port: servicePort(8080),
  ...connectionOptions,
  ...lineOptions,
};

/** Lines back as they came; with `--verbose` a line of figures every few seconds in which there were any. */
export const echo = {
  summary: "Sends each line back as it came",
  options,
  examples: [
    ["echo", "An echo on 127.0.0.1:8080"],
    ["echo --port 7 --verbose", "On the port that echo has by standard, with a line of figures now and then"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { log } = host;
    const { startEcho } = await import("../../../services/echo/service.ts");
    const service = startEcho({ ...await listenOptions(values, host), maxLine: values.maxLine });
    if (!values.verbose) return service;
    const counter = new EchoCounter({
      count: () => service.stats().messages,
      show: (line) => log.info(line),
      clock: systemClock,
    });
    return {
      addresses: service.addresses,
      // The last figures are said before anybody hears that it has ended.
      finished: service.finished.finally(() => counter.stop()),
      stats: () => service.stats(),
      suspend: () => service.suspend(),
      resume: () => service.resume(),
      shutdown: () => service.shutdown(),
      close: () => service.close(),
    };
  },
} as const satisfies Service;

/** `server.ts hello`. @module */
import { duration } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { HTTP_TLS } from "../../../services/http/tls.ts";
import {
  connectionOptions,
  listenOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
} from "../service_command.ts";

const options = {
  port: servicePort(1729),
  delay: duration({ help: "Time from the request to the answer", default: 4000 }),
  ...connectionOptions,
};

/** Hello World over HTTP, late. */
export const hello = {
  summary: "Answers whatever comes with Hello World! over HTTP, after a delay",
  options,
  examples: [
    ["hello", "Answers on 127.0.0.1:1729 after four seconds"],
    ["hello --delay 0", "Answers at once"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startHello } = await import("../../../services/hello/service.ts");
    return startHello({ ...await listenOptions(values, host, HTTP_TLS), delay: values.delay });
  },
} as const satisfies Service;

/** `server.ts hello`, a slow HTTP server. @module */
import { duration, group } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { HTTP_TLS } from "../../../services/http/refusal.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { connectionOptions, listenOptions, processOptions, servicePort } from "../service_options.ts";

const options = {
  ...group("Hello", {
    delay: duration({ help: "Time from the request to the response", default: 4000 }),
  }),
  ...servicePort(1729),
  ...processOptions,
  ...connectionOptions,
};

/** The command. */
export const hello = {
  summary: "Answer every HTTP request with Hello World! after a delay",
  options,
  examples: [
    ["hello", "On 127.0.0.1:1729, after four seconds"],
    ["hello --delay 0", "Without a delay"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startHello } = await import("../../../services/hello/service.ts");
    return startHello({ ...await listenOptions(values, host, HTTP_TLS), delay: values.delay });
  },
} as const satisfies Service;

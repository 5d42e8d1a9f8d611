/** `server.ts http`, a small web server. @module */
import { duration, group, integer, size } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { MAX_ITEM_SIZE } from "../../../services/http/item_store.ts";
import { HTTP_TLS } from "../../../services/http/refusal.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { connectionOptions, listenOptions, servicePort } from "../service_options.ts";

const options = {
  ...group("HTTP", {
    requestTimeout: duration({ help: "Longest time to receive a request", default: 10_000 }),
    keepAliveTimeout: duration({
      help: "Close connections without a request for this long",
      default: 60_000,
    }),
    maxBody: size({ help: "Largest request body", default: 1024 * 1024, max: MAX_ITEM_SIZE }),
    maxItems: integer({ help: "Limit of the number of items", default: 10_000, min: 0 }),
    maxStore: size({ help: "Limit of all items together", default: 128 * 1024 * 1024 }),
  }),
  ...servicePort(8890),
  ...connectionOptions,
  ...group("Timeouts", {
    writeTimeout: duration({ help: "Close connections that stop reading; 0 disables", default: 60_000 }),
  }),
};

/** The command. */
export const http = {
  summary: "Serve a page, the time, and a REST store of items over HTTP/1.1",
  options,
  examples: [
    ["http", "A web server on 127.0.0.1:8890"],
    ["http --port 8080 --max-body 64KiB", "On another port, with smaller bodies"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startHttp } = await import("../../../services/http/service.ts");
    const { requestTimeout, keepAliveTimeout, maxBody, maxItems, maxStore } = values;
    const listen = await listenOptions(values, host, HTTP_TLS);
    return startHttp({
      ...listen,
      limits: { ...listen.limits, maxBody, maxItems, maxStore },
      timeouts: { ...listen.timeouts, request: requestTimeout, keepAlive: keepAliveTimeout },
    });
  },
} as const satisfies Service;

/** `server.ts http`. @module */
import { duration, size } from "../../args/option.ts";
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
  port: servicePort(8890),
  requestTimeout: duration({ help: "Longest time a request may take to come in", default: 10_000 }),
  keepAliveTimeout: duration({
    help: "Longest time a connection may stay without a request",
    default: 60_000,
  }),
  maxBody: size({ help: "Longest body of a request", default: 1024 * 1024 }),
  ...connectionOptions,
};

/** A small web server. */
export const http = {
  summary: "Serves a page, the time, and a REST store of items over HTTP/1.1",
  options,
  examples: [
    ["http", "A web server on 127.0.0.1:8890"],
    ["http --port 8080 --max-body 64KiB", "On another port, with smaller bodies"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startHttp } = await import("../../../services/http/service.ts");
    const { requestTimeout, keepAliveTimeout, maxBody } = values;
    return startHttp({
      ...await listenOptions(values, host, HTTP_TLS),
      requestTimeout,
      keepAliveTimeout,
      maxBody,
    });
  },
} as const satisfies Service;

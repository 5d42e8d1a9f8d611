/** `server.ts hello`. @module */
import type { Log } from "../../cli/log.ts";
import { duration } from "../../cli/option.ts";
import type { Values } from "../../cli/program.ts";
import { HTTP_ALPN } from "../../services/http/grammar.ts";
import {
  connectionOptions,
  listenOptions,
  type RunningService,
  type Service,
  servicePort,
} from "../service.ts";

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
  async start(values: Values<typeof options>, log: Log): Promise<RunningService> {
    const { startHello } = await import("../../services/hello.ts");
    return startHello({ ...await listenOptions(values, log, { alpn: HTTP_ALPN }), delay: values.delay });
  },
} as const satisfies Service;

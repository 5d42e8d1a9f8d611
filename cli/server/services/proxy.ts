/** `server.ts proxy`. @module */
import { address, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { gatewayOptions, passOptions } from "../gateway_options.ts";
import { type RunningService, type Service, type ServiceHost, servicePort } from "../service_command.ts";

const options = {
  port: servicePort(8892),
  to: address({ help: "The backend", required: true, minPort: 1 }),
  connectAttempts: integer({ help: "Times to try to connect for one client", default: 3, min: 1 }),
  ...gatewayOptions,
};

/** A TCP proxy. */
export const proxy = {
  summary: "Passes connections on to a backend, byte for byte",
  options,
  examples: [
    ["proxy --to 127.0.0.1:8000", "A relay by another door"],
    ["proxy --to db.internal:5432 --idle-timeout 5m --proxy-out v2", "With the clients' addresses passed on"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startProxy } = await import("../../../services/proxy/service.ts");
    const { to, connectAttempts } = values;
    return startProxy({ ...await passOptions(values, host), to, connectAttempts });
  },
} as const satisfies Service;

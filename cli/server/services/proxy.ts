/** `server.ts proxy`, a TCP proxy. @module */
import { address, group, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { backendOptions, gatewayOptions, passOptions } from "../gateway_options.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { processOptions, servicePort } from "../service_options.ts";

const options = {
  ...group("Proxy", {
    to: address({ help: "The backend", required: true, minPort: 1 }),
    connectAttempts: integer({ help: "Attempts to connect to the backend per client", default: 3, min: 1 }),
    ...backendOptions,
  }),
  ...servicePort(8892),
  ...processOptions,
  ...gatewayOptions,
};

/** The command. */
export const proxy = {
  summary: "Forward connections to a backend, byte for byte",
  options,
  examples: [
    ["proxy --to 127.0.0.1:8000", "A relay on another port"],
    [
      "proxy --to db.internal:5432 --idle-timeout 5m --proxy-out v2",
      "With the client addresses passed to the backend",
    ],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startProxy } = await import("../../../services/proxy/service.ts");
    const { to, connectAttempts } = values;
    return startProxy({ ...await passOptions(values, host), to, connectAttempts });
  },
} as const satisfies Service;

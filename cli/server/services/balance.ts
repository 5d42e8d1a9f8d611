/** `server.ts balance`. @module */
import { UsageError } from "../../terminal/exit.ts";
import { address, choice, duration, flag, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { POLICY_NAMES } from "../../../services/balance/policy.ts";
import { formatAddress } from "../../../socket/network.ts";
import { gatewayOptions, passOptions } from "../gateway_options.ts";
import { type RunningService, type Service, type ServiceHost, servicePort } from "../service_command.ts";

const options = {
  port: servicePort(8893),
  to: address({ help: "A backend", required: true, repeatable: true, minPort: 1 }),
  policy: choice(POLICY_NAMES, { help: "How a backend is chosen", default: "round-robin" }),
  maxPerBackend: integer({ help: "Most connections of a backend; 0 for no bound", default: 0, min: 0 }),
  maxQueue: integer({ help: "Most clients that wait while no backend can take one", default: 1024, min: 0 }),
  queueTimeout: duration({ help: "Longest time that a client waits for a backend", default: 10_000 }),
  checkInterval: duration({ help: "Time between two health checks of a backend", default: 2000 }),
  rise: integer({ help: "Good checks in a row that bring a backend back", default: 2, min: 1 }),
  fall: integer({ help: "Failed ones in a row after which it gets no more clients", default: 3, min: 1 }),
  ...gatewayOptions,
  control: flag({
    help:
      "Answer each line `state`, `suspend`, `resume`, `drain HOST:PORT` or `undrain HOST:PORT` (a backend) on " +
      "stdin with a line of JSON on stdout",
  }),
};

/** A TCP load balancer. */
export const balance = {
  summary: "Spreads connections over several backends, and leaves dead ones out",
  options,
  examples: [
    ["balance --to 10.0.0.1:80 --to 10.0.0.2:80", "Two backends in turn"],
    ["balance --to [::1]:8001 --to [::1]:8002 --policy source", "Each client always at the same one"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startBalance } = await import("../../../services/balance/service.ts");
    const { to, policy, maxPerBackend, maxQueue, queueTimeout, checkInterval, rise, fall } = values;
    if (new Set(to.map(formatAddress)).size < to.length) {
      throw new UsageError("Option --to names a backend twice");
    }
    const own = { to, policy, maxPerBackend, maxQueue, queueTimeout, checkInterval, rise, fall };
    return startBalance({
      ...await passOptions(values, host),
      ...own,
      onHealth: (backend, healthy) => {
        if (healthy) host.log.info(`Backend ${backend} is back`);
        else host.log.warn(`Backend ${backend} cannot be reached: it gets no clients until it is back`);
      },
    });
  },
} as const satisfies Service;

/** `server.ts balance`, a TCP load balancer. @module */
import { UsageError } from "../../terminal/exit.ts";
import { address, choice, duration, flag, group, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { POLICY_NAMES } from "../../../services/balance/policy.ts";
import { formatAddress } from "../../../socket/network.ts";
import { backendOptions, gatewayOptions, passOptions } from "../gateway_options.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { processOptions, servicePort } from "../service_options.ts";

const options = {
  ...group("Balancer", {
    to: address({ help: "A backend", required: true, repeatable: true, minPort: 1 }),
    policy: choice(POLICY_NAMES, { help: "Policy for choosing a backend", default: "round-robin" }),
    maxPerBackend: integer({ help: "Limit of connections per backend; 0 disables", default: 0, min: 0 }),
    maxQueue: integer({ help: "Limit of clients queued for a backend", default: 1024, min: 0 }),
    queueTimeout: duration({ help: "Longest time in the queue", default: 10_000 }),
    checkInterval: duration({ help: "Time between health checks of a backend", default: 2000 }),
    rise: integer({ help: "Successful checks in a row that bring a backend back", default: 2, min: 1 }),
    fall: integer({ help: "Failed checks in a row that take a backend out", default: 3, min: 1 }),
    ...backendOptions,
  }),
  ...servicePort(8893),
  ...processOptions,
  ...gatewayOptions,
  ...group("Output", {
    control: flag({
      help: "Answer `state`, `suspend`, `resume`, `drain HOST:PORT`, and `undrain HOST:PORT` on stdin",
    }),
  }),
};

/** The command. */
export const balance = {
  summary: "Spread connections over several backends that pass health checks",
  options,
  examples: [
    ["balance --to 10.0.0.1:80 --to 10.0.0.2:80", "Two backends in turn"],
    [
      "balance --to [::1]:8001 --to [::1]:8002 --policy source",
      "The same backend for all connections of a client",
    ],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startBalance } = await import("../../../services/balance/service.ts");
    const { to, policy, maxPerBackend, maxQueue, queueTimeout, checkInterval, rise, fall } = values;
    if (new Set(to.map(formatAddress)).size < to.length) {
      throw new UsageError("Cannot use --to: it names a backend twice, expected each one once");
    }
    const shared = await passOptions(values, host);
    return startBalance({
      ...shared,
      to,
      policy,
      limits: { ...shared.limits, maxPerBackend, maxQueue },
      timeouts: { ...shared.timeouts, queue: queueTimeout },
      checkInterval,
      rise,
      fall,
      onEvent: (event) => {
        if (event.type !== "health") return shared.onEvent?.(event);
        const { backend, healthy } = event;
        if (healthy) host.log.info("Backend {backend} is healthy again", { event: "healthy", backend });
        else {host.log.warn(
            "Backend {backend} is unreachable: it gets no clients until it is healthy again",
            {
              event: "unreachable",
              backend,
            },
          );}
      },
    });
  },
} as const satisfies Service;

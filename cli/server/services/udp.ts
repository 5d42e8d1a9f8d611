/** `server.ts udp`, a datagram echo or chat. @module */
import { duration, flag, group, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import { logListener } from "../listener_log.ts";
import { bindOptions, servicePort, sharedOptions } from "../service_options.ts";

const options = {
  ...group("UDP", {
    chat: flag({ help: "Forward each datagram to all other recent senders instead of echoing it" }),
    maxSenders: integer({ help: "Limit of senders in a chat", default: 64, min: 1 }),
    forgetAfter: duration({ help: "Remove senders silent for this long from a chat", default: 300_000 }),
  }),
  ...servicePort(12_345),
  ...sharedOptions,
};

/** The command. */
export const udp = {
  summary: "Echo datagrams, or with --chat forward them to all other senders",
  options,
  examples: [
    ["udp", "A datagram echo on 127.0.0.1:12345"],
    ["udp --chat --host 0.0.0.0", "A datagram chat on every address"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startDatagramEcho } = await import("../../../services/udp/echo.ts");
    const { chat, maxSenders, forgetAfter } = values;
    return startDatagramEcho({
      ...bindOptions(values),
      ...logListener(host, values),
      chat,
      maxSenders,
      forgetAfter,
    });
  },
} as const satisfies Service;

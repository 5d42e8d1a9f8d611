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
    answerRate: integer({
      help: "Limit of datagrams answered per second and source address; 0 disables",
      default: 1000,
      min: 0,
    }),
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
    ["udp --chat --host 192.0.2.7 --host 127.0.0.1", "A datagram chat on two addresses"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startDatagramEcho } = await import("../../../services/udp/echo.ts");
    const { chat, maxSenders, forgetAfter, answerRate } = values;
    const wildcard = values.host.find((hostname) => hostname === "0.0.0.0" || hostname === "::");
    if (wildcard !== undefined) {
      host.log.warn(
        `With --host ${wildcard}, answers may leave from another address than the one asked: name each address instead`,
      );
    }
    return startDatagramEcho({
      ...bindOptions(values),
      ...logListener(host),
      chat,
      limits: { maxSenders, answerRate },
      timeouts: { sender: forgetAfter },
    });
  },
} as const satisfies Service;

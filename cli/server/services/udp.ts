/** `server.ts udp`. @module */
import { duration, flag, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import {
  bindOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
  sharedOptions,
} from "../service_command.ts";

const options = {
  port: servicePort(12_345),
  chat: flag({ help: "Pass each datagram on to all others that have sent one lately, instead of back" }),
  maxSenders: integer({ help: "Senders that a chat knows at once", default: 64, min: 1 }),
  forgetAfter: duration({ help: "Silence after which a chat forgets a sender", default: 300_000 }),
  ...sharedOptions,
};

/** Datagrams back, or on to others. */
export const udp = {
  summary: "Sends each datagram back as it came, or with --chat on to everybody else",
  options,
  examples: [
    ["udp", "A datagram echo on 127.0.0.1:12345"],
    ["udp --chat --host 0.0.0.0", "A chat of datagrams, on every address"],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startDatagramEcho } = await import("../../../services/udp/echo.ts");
    const { chat, maxSenders, forgetAfter } = values;
    return startDatagramEcho({ ...bindOptions(values, host), chat, maxSenders, forgetAfter });
  },
} as const satisfies Service;

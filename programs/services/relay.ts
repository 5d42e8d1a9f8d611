/** `server.ts relay`. @module */
import type { Log } from "../../cli/log.ts";
import { duration, flag, integer } from "../../cli/option.ts";
import type { Values } from "../../cli/program.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  type RunningService,
  type Service,
  servicePort,
} from "../service.ts";
import { authOf, tokenOptions } from "../guard_options.ts";

const options = {
  port: servicePort(8000),
  ...connectionOptions,
  ...lineOptions,
  ...tokenOptions,
  ackTimeout: duration({
    help: "Redeliver a message that has no ok after so long; 0 for never",
    default: 10_000,
  }),
  redeliver: flag({
    help: "Leave a message with its first holder, even one that leaves or is silent",
    default: true,
  }),
  maxUnderWay: integer({ help: "Most messages under way in all; 0 for no bound", default: 0, min: 0 }),
  maxUnderWayPerPeer: integer({ help: "The same for each connection", default: 0, min: 0 }),
};

/** The relay. */
export const relay = {
  summary: "Hands each message to a random connection and brings its ok back",
  options,
  examples: [
    ["", "A relay on 127.0.0.1:8000"],
    [
      "relay --host 0.0.0.0 --port 9000 --max-connections 10000",
      "On every address, for 10,000 peers at most",
    ],
  ],
  async start(values: Values<typeof options>, log: Log): Promise<RunningService> {
    const { startRelay } = await import("../../relay/relay_server.ts");
    const { ackTimeout, redeliver, maxLine, maxUnderWay, maxUnderWayPerPeer } = values;
    const { onClosed, ...listen } = await listenOptions(values, log);
    return startRelay({
      ...listen,
      ...await authOf(values),
      ackTimeout,
      redeliver,
      maxLine,
      maxUnderWay,
      maxUnderWayPerPeer,
      observer: { closed: onClosed },
    });
  },
} as const satisfies Service;

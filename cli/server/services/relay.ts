/** `server.ts relay`. @module */
import type { Log } from "../../terminal/log.ts";
import { duration, flag, integer, text } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { quoted } from "../../../internal/printable.ts";
import type { ServerEventWriter } from "../../../loadtest/history/server_events.ts";
import { CountingClock } from "../../../testing/counting_clock.ts";
import { systemClock } from "../../../socket/tcp.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  type RunningService,
  type Service,
  type ServiceHost,
  servicePort,
} from "../service_command.ts";
import { fileError } from "../../shared/file_error.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

const options = {
  port: servicePort(8000),
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
  ackTimeout: duration({
    help: "Redeliver a message that has no ok after so long; 0 for never",
    default: 10_000,
  }),
  redeliver: flag({
    help: "Leave a message with its first holder, even one that leaves or is silent",
    default: true,
  }),
  history: text({
    help: "Write every connection and its end to this file, a line of JSON each; what it had is replaced",
    placeholder: "FILE",
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
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startRelay } = await import("../../../relay/server.ts");
    const { ackTimeout, redeliver, maxLine, maxUnderWay, maxUnderWayPerPeer } = values;
    const { onClosed, ...listen } = await listenOptions(values, host);
    const history = values.history === undefined ? undefined : await openHistory(values.history, host.log);
    const clock = new CountingClock(systemClock);
    const relay = startRelay({
      ...listen,
      ...await authOf(values),
      clock,
      ackTimeout,
      redeliver,
      maxLine,
      maxUnderWay,
      maxUnderWayPerPeer,
      observer: {
        ...history?.observer,
        closed: (connection, reason) => {
          onClosed(connection, reason);
          history?.observer.closed(connection, reason);
        },
      },
    });
    return {
      addresses: relay.addresses,
      // The ends of its last connections come before this settles.
      finished: relay.finished.finally(() => history?.[Symbol.dispose]()),
      stats: () => ({ ...relay.stats(), timers: clock.running }),
      suspend: () => relay.suspend(),
      resume: () => relay.resume(),
      shutdown: () => relay.shutdown(),
      close: () => relay.close(),
    };
  },
} as const satisfies Service;

/** A history that comes to its end before the server does takes nobody's connection along. */
async function openHistory(path: string, log: Log): Promise<ServerEventWriter> {
  const { ServerEventWriter } = await import("../../../loadtest/history/server_events.ts");
  try {
    return new ServerEventWriter(path, {
      now: () => performance.timeOrigin + performance.now(),
      onFailed: (cause) =>
        log.error(
          `${fileError(`write the history ${quoted(path)}`, cause).message}; serving goes on without it`,
        ),
    });
  } catch (cause) {
    throw fileError(`write the history ${quoted(path)}`, cause);
  }
}

/** `server.ts relay`, the relay. @module */
import type { Log } from "../../terminal/log.ts";
import { custom, duration, flag, group, integer, text } from "../../args/option.ts";
import type { ServiceMonitor } from "../../../admin/service/service_monitor.ts";
import type { RelayObserver } from "../../../relay/server_options.ts";
import type { Values } from "../../args/program.ts";
import { quoted } from "../../../internal/printable.ts";
import type { ServerEventWriter } from "../../../loadtest/history/server_events.ts";
import { CountingClock } from "../../../testing/counting_clock.ts";
import { systemClock } from "../../../socket/tcp.ts";
import type { RunningService, Service, ServiceHost } from "../service_command.ts";
import {
  connectionOptions,
  lineOptions,
  listenOptions,
  processOptions,
  servicePort,
} from "../service_options.ts";
import { ACK_TIMEOUT } from "../../../relay/server_options.ts";
import { outputFile } from "../../shared/output_file.ts";
import { fileError } from "../../shared/file_error.ts";
import { listeningNetwork } from "../inherited_sockets.ts";
import { CLUSTER_NOTATION, parseCluster } from "../join_cluster.ts";
import { authOf } from "../limit_options.ts";
import { guardTokenOption } from "../../shared/token_option.ts";

/** Default name of the cluster at NATS. */
const CLUSTER_NAME = "okline";

const options = {
  ...group("Relay", {
    ackTimeout: duration({
      help: "Redeliver messages without an ok for this long; 0 disables",
      default: ACK_TIMEOUT,
    }),
    redeliver: flag({
      help: "Give each message to one receiver only; without its ok, it waits until its sender leaves",
      default: true,
    }),
    maxInFlight: integer({
      help: "Limit of messages in flight; 0 disables",
      default: 0,
      min: 0,
      formerName: "max-under-way",
    }),
    maxInFlightPerPeer: integer({
      help: "Limit of messages in flight for each sender; 0 disables",
      default: 0,
      min: 0,
      formerName: "max-under-way-per-peer",
    }),
    history: outputFile("Write each connection and its end to this file, as JSON lines"),
    historyAppend: flag({ help: "Add to an existing history instead of emptying it" }),
  }),
  ...group("Cluster", {
    cluster: custom(parseCluster, {
      help: "Relay together with other servers, over NATS or between processes of this host",
      accepts: CLUSTER_NOTATION,
      placeholder: "URL",
    }),
    clusterName: text({
      help: "Name of the cluster at NATS",
      placeholder: "NAME",
      defaultText: CLUSTER_NAME,
    }),
    clusterCredentials: text({ help: "Credentials file (.creds) for NATS", placeholder: "FILE" }),
    clusterCa: text({
      help: "Certificate authority (PEM) of the NATS servers",
      placeholder: "FILE",
      defaultText: "those built in",
    }),
    clusterCert: text({ help: "Client certificate (PEM) for NATS", placeholder: "FILE" }),
    clusterKey: text({ help: "Private key (PEM) of the certificate", placeholder: "FILE" }),
  }),
  ...servicePort(8000),
  ...processOptions,
  ...connectionOptions,
  ...lineOptions,
  ...guardTokenOption,
};

/** The command. */
export const relay = {
  summary: "Deliver each message to a random connection and return its ok",
  options,
  examples: [
    ["", "A relay on 127.0.0.1:8000"],
    [
      "relay --host 0.0.0.0 --port 9000 --max-connections 10000",
      "On every address, for up to 10,000 connections",
    ],
  ],
  async start(values: Values<typeof options>, host: ServiceHost): Promise<RunningService> {
    const { startRelay } = await import("../../../relay/server.ts");
    const { ackTimeout, redeliver, maxLine, maxInFlight, maxInFlightPerPeer } = values;
    const listen = await listenOptions(values, host);
    const history = await openHistory(values, host.log);
    const clock = new CountingClock(systemClock);
    const lines = host.monitor?.lineObserver;
    const relay = startRelay({
      ...listen,
      limits: {
        ...listen.limits,
        maxLine,
        maxInFlight,
        maxInFlightPerPeer,
      },
      timeouts: { ...listen.timeouts, ack: ackTimeout },
      access: { ...listen.access, ...await authOf(values) },
      clock,
      redeliver,
      ...(host.monitor === undefined ? {} : { ackTimes: host.monitor.ackTimes }),
      ...(lines === undefined ? {} : { observer: observe(lines) }),
      onEvent: (event) => {
        if (event.type !== "joined") listen.onEvent(event);
        history?.write(event);
      },
    });
    if (values.cluster !== undefined) {
      const { joinCluster } = await import("../join_cluster.ts");
      await joinCluster(relay, {
        url: values.cluster,
        name: values.clusterName ?? CLUSTER_NAME,
        credentials: values.clusterCredentials,
        tls: { caFile: values.clusterCa, certFile: values.clusterCert, keyFile: values.clusterKey },
        network: await listeningNetwork(values),
        log: host.log,
      });
    }
    return {
      addresses: relay.addresses,
      // The last connections end before this settles.
      finished: relay.finished.finally(() => history?.[Symbol.dispose]()),
      stats: () => ({ ...relay.stats(), timers: clock.running }),
      connections: relay.connections,
      unsettledByConnection: () => relay.unsettledByConnection(),
      setLimits: (limits, timeouts) => relay.setLimits(limits, timeouts),
      suspend: () => relay.suspend(),
      resume: () => relay.resume(),
      shutdown: () => relay.shutdown(),
      close: () => relay.close(),
    };
  },
} as const satisfies Service;

/** Observes lines for spans of messages. */
function observe(lines: NonNullable<ServiceMonitor["lineObserver"]>): RelayObserver {
  return {
    received: (connection, line) => lines.received(connection, line),
    sent: (connection, line) => lines.sent(connection, line),
  };
}

/** Opens the history. An error while writing it, such as a full disk, is logged; connections are unaffected. */
async function openHistory(
  { history: path, historyAppend: append }: Values<typeof options>,
  log: Log,
): Promise<ServerEventWriter | undefined> {
  if (path === undefined) return undefined;
  const { ServerEventWriter } = await import("../../../loadtest/history/server_events.ts");
  try {
    return new ServerEventWriter(path, {
      append,
      now: () => performance.timeOrigin + performance.now(),
      onFailed: (cause) =>
        log.error(
          `${
            fileError(`write the history ${quoted(path)}`, cause).message
          }; the relay keeps serving without it`,
        ),
    });
  } catch (cause) {
    throw fileError(`write the history ${quoted(path)}`, cause);
  }
}

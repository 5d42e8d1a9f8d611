/** The options that services share, and their meaning to a listener. @module */
import { duration, flag, group, host, integer, type Option, port, size } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { ListenOptions } from "../../socket/listen.ts";
import type { ListenerHooks } from "../../socket/listener/event.ts";
import type { EndedConnection } from "../../services/service.ts";
import { adminOptions } from "../shared/admin_options.ts";
import { jsonOption, logOptions, quietOption } from "../shared/output_options.ts";
import { serverTransportOption } from "../shared/transport_option.ts";
import { logListener } from "./listener_log.ts";
import { accessOptions, guardListenOptions, limitOptions, timeoutOptions } from "./limit_options.ts";
import { inheritedDescriptors, inheritedHost, inheritOption } from "./inherited_sockets.ts";
import type { ServiceHost } from "./service_command.ts";
import { type ServiceTls, tlsServerOptions } from "./tls_options.ts";

const listening = group("Listening", {
  host: host({
    help: "Address to listen on, all with the same port",
    repeatable: true,
    defaultText: "127.0.0.1, and ::1 if available",
    environment: "SERVER_HOST",
  }),
});

const output = group("Output", {
  control: flag({ help: "Answer `state`, `suspend`, and `resume` on stdin with JSON lines on stdout" }),
  untilStdinEnds: flag({ help: "With --control, also shut down when stdin ends" }),
  monitor: flag({ help: "With --control, also answer `connections`, `close ID`, and `figures`" }),
  verbose: flag({ help: "Also log what peers do, as --log-level debug does" }),
  ...quietOption,
  ...jsonOption,
  ...logOptions,
});

/** The options of every service, in addition to its {@linkcode servicePort}. */
export const sharedOptions = { ...listening, ...adminOptions, ...output };

/** The options of every service with connections. */
export const connectionOptions = {
  ...listening,
  ...group("Listening", {
    reusePort: flag({ help: "Share the port with other servers that also use this option" }),
    ...inheritOption,
    ...serverTransportOption,
  }),
  ...group("Limits", {
    maxConnections: integer({ help: "Limit of open connections; 0 disables", default: 0, min: 0 }),
    maxConnectionsPerIp: integer({ help: "Limit for each remote address; 0 disables", default: 0, min: 0 }),
    ...limitOptions,
    writeBuffer: size({ help: "Unread bytes after which a slow peer is disconnected", default: 1024 * 1024 }),
  }),
  ...group("Timeouts", {
    idleTimeout: duration({ help: "Close connections idle for this long; 0 disables", default: 0 }),
    ...timeoutOptions,
    drainTimeout: duration({ help: "Longest wait for connections to end on shutdown", default: 10_000 }),
  }),
  ...tlsServerOptions,
  ...accessOptions,
  ...adminOptions,
  ...output,
};

/** The option of services that several processes can share. */
export const processOptions = group("Listening", {
  processes: integer({ help: "Number of processes that share the port", default: 1, min: 1 }),
});

/** Returns the option `--port` of a service with this default port. */
export function servicePort(defaultPort: number): { readonly port: Option<number> } {
  return group("Listening", {
    port: port({
      help: "Port to listen on; 0 picks a free one",
      default: defaultPort,
      environment: "SERVER_PORT",
    }),
  });
}

/** The option of every service that reads lines. */
export const lineOptions = group("Limits", {
  maxLine: size({ help: "Longest line that a peer may send", min: 1, default: 64 * 1024 }),
});

/** Values of {@linkcode sharedOptions} and the port. */
export type SharedValues = Values<typeof sharedOptions> & { readonly port: number };

/** Values of {@linkcode connectionOptions} and the port. */
export type ConnectionValues = Values<typeof connectionOptions> & { readonly port: number };

type Groups = "limits" | "timeouts" | "access";

type SharedListenOptions =
  & Omit<ListenOptions<never>, Groups | "refusal" | "farewell" | "onEvent" | "onError">
  & Required<Pick<ListenOptions<never>, Groups>>
  & Required<ListenerHooks<EndedConnection>>;

/**
 * Converts the connection options to those of a listener, whose events and errors are logged.
 *
 * @param tls The protocol that the service speaks over TLS. Default: lines.
 */
export async function listenOptions(
  values: ConnectionValues,
  host: ServiceHost,
  tls: ServiceTls = {},
): Promise<SharedListenOptions> {
  const { reusePort, maxConnections, maxConnectionsPerIp, idleTimeout, writeBuffer, drainTimeout } = values;
  const guard = await guardListenOptions(values, { ...host, ...tls });
  const inherited = inheritedDescriptors(values);
  return {
    ...(inherited.length > 0 ? { hostnames: inherited.map(inheritedHost), port: 0 } : bindOptions(values)),
    ...guard,
    ...logListener(host),
    reusePort,
    limits: { ...guard.limits, maxConnections, maxConnectionsPerIp, writeBuffer },
    timeouts: { ...guard.timeouts, idle: idleTimeout, drain: drainTimeout },
  };
}

/** Returns the hosts that a service must listen on. */
export function requiredHosts({ host }: SharedValues): readonly string[] {
  return host.length > 0 ? host : ["127.0.0.1"];
}

/** Converts `--host` and `--port` to the addresses that a service must bind, and those that it binds if possible. */
export function bindOptions(
  values: SharedValues,
): Pick<ListenOptions<never>, "hostnames" | "tryHostnames" | "port"> {
  const where = { hostnames: requiredHosts(values), port: values.port };
  return values.host.length > 0 ? where : { ...where, tryHostnames: ["::1"] };
}

/** What a service has to be so that `server.ts` can run it, and the options that services share. @module */
import type { Log } from "../terminal/log.ts";
import { duration, flag, host, integer, type Option, port, size } from "../args/option.ts";
import { printable } from "../../internal/printable.ts";
import type { Command, Values } from "../args/program.ts";
import { plural } from "../../internal/plural.ts";
import { type CloseReason, describeCloseReason } from "../../socket/errors.ts";
import type { ListenOptions } from "../../socket/listener.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import type { EndedConnection } from "../../services/service.ts";
import { guardListenOptions, guardOptions } from "./limit_options.ts";
import type { ServiceTls } from "./tls_options.ts";

/** A service that runs. */
export interface RunningService {
  readonly addresses: readonly Address[];
  /** Settles when all is closed; rejects when it failed. */
  readonly finished: Promise<void>;
  /** Figures for `state` on the control channel; plain data. */
  stats(): object;
  /** Stops accepting until `resume`. Both are left out by a service that takes no connections. */
  suspend?(): void;
  resume?(): void;
  /**
   * Gives a backend no new connections until `restoreBackend`. Both are left out by a service that has no several.
   *
   * @throws {RangeError} If there is none of that name.
   */
  drainBackend?(name: string): void;
  restoreBackend?(name: string): void;
  shutdown(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An entry of the table of services: a command, and how it is started from the values of its options. What it runs is imported
 * by `start`, so that a server loads its own service and no other.
 */
export interface Service extends Command {
  readonly options: typeof sharedOptions & { readonly port: Option<number> };
  /** @throws {ExitError} When it cannot start for a reason that the user can do something about, besides binding. */
  start(values: SharedValues, host: ServiceHost): Promise<RunningService>;
}

/** What a service is handed by the program that runs it. */
export interface ServiceHost {
  readonly log: Log;
  /** Takes what is to be done when the server is told to read its files again. */
  readonly onReload: (reload: Reload) => void;
}

/** Reads again what can be read while a service runs, because of a signal, and logs what came of it. */
export type Reload = (signal: Deno.Signal) => void;

/** The options that every service takes, besides its {@linkcode servicePort}. */
export const sharedOptions = {
  host: host({
    help: "Address to listen on; several with one port for all",
    repeatable: true,
    defaultText: "127.0.0.1, and ::1 where it can be bound",
    environment: "SERVER_HOST",
  }),
  control: flag({
    help: "Answer each line `state`, `suspend` or `resume` on stdin with a line of JSON on stdout",
  }),
  verbose: flag({ help: "Remark on what peers do, too" }),
  quiet: flag({ help: "No remarks on stderr, but for warnings and errors" }),
  json: flag({ help: "Machine output on stdout, one JSON object a line" }),
};

/** The options of every service with connections. */
export const connectionOptions = {
  reusePort: flag({ help: "Share the port with other servers that are started with this" }),
  maxConnections: integer({ help: "Most connections at once; 0 for no bound", default: 0, min: 0 }),
  maxConnectionsPerIp: integer({ help: "The same for each remote address", default: 0, min: 0 }),
  idleTimeout: duration({ help: "Close a peer that is silent for so long; 0 for never", default: 0 }),
  writeBuffer: size({ help: "Cut off a peer that leaves more than this unread", default: 1024 * 1024 }),
  drainTimeout: duration({
    help: "Longest wait for peers when stopping: at SIGINT, SIGTERM, or when the terminal hangs up",
    default: 10_000,
  }),
  ...guardOptions,
  ...sharedOptions,
};

/** The option `port` of a service with a default port of its own. */
export function servicePort(defaultPort: number): Option<number> {
  return port({
    help: "Port to listen on; 0 picks a free one",
    default: defaultPort,
    environment: "SERVER_PORT",
  });
}

/** The option of every service that reads lines. */
export const lineOptions = {
  maxLine: size({ help: "Longest line of a peer", min: 1, default: 64 * 1024 }),
};

/** Values of {@linkcode sharedOptions} and the port. */
export type SharedValues = Values<typeof sharedOptions> & { readonly port: number };

/** Values of {@linkcode connectionOptions} and the port. */
export type ConnectionValues = Values<typeof connectionOptions> & { readonly port: number };

type SharedListenOptions =
  & Omit<ListenOptions<never>, "refusal" | "farewell" | "onClosed" | "onLateFailure">
  & {
    onClosed(connection: EndedConnection, reason: CloseReason): void;
    onLateFailure(connection: EndedConnection, error: Error): void;
  };

/**
 * What the options of connections mean to a listener; what goes wrong in serving one is logged.
 *
 * @param tls What the service speaks, for clients that ask by TLS. Default: lines.
 */
export async function listenOptions(
  values: ConnectionValues,
  host: ServiceHost,
  tls: ServiceTls = {},
): Promise<SharedListenOptions> {
  const { log } = host;
  const { reusePort, maxConnections, maxConnectionsPerIp, idleTimeout, writeBuffer, drainTimeout } = values;
  const failed = ({ remote }: EndedConnection, error: Error) =>
    log.error(`Serving ${named(remote)} failed: ${describeFailure(error)}`);
  return {
    ...bindOptions(values, host),
    ...await guardListenOptions(values, { ...host, ...tls }),
    reusePort,
    maxConnections,
    maxConnectionsPerIp,
    idleTimeout,
    writeBuffer,
    drainTimeout,
    onClosed: (connection, reason) => {
      if (reason.type === "handler-failed") {
        failed(connection, reason.error);
      } else if (values.verbose) {
        const { bytesIn, bytesOut } = connection.stats();
        log.info(`${closing(connection.remote, reason)}; ${plural(bytesIn, "byte")} in, ${bytesOut} out`);
      }
    },
    onLateFailure: failed,
    onRefused: (remote, { why }) => {
      if (values.verbose) log.info(`${named(remote)} refused, ${why}`);
    },
  };
}

/** Where a service must listen, as `--host` says. */
export function requiredHosts({ host }: SharedValues): readonly string[] {
  return host.length > 0 ? host : ["127.0.0.1"];
}

/** What `--host` and `--port` mean to a service: where to listen, and where only if that can be. */
export function bindOptions(
  values: SharedValues,
  { log }: ServiceHost,
): Pick<ListenOptions<never>, "hostnames" | "tryHostnames" | "onNotBound" | "port"> {
  const where = { hostnames: requiredHosts(values), port: values.port };
  if (values.host.length > 0) return where;
  return {
    ...where,
    tryHostnames: ["::1"],
    onNotBound: (hostname, cause) => {
      // Anything else means that the machine or the permissions do not have it.
      if (!(cause instanceof Deno.errors.AddrInUse)) return;
      log.warn(
        `Not listening on ${hostname}: the port is in use there, and who connects to localhost may reach that program instead`,
      );
    },
  };
}

/** A peer as a log names it: where it comes from may be what a proxy said. */
function named(remote: Address): string {
  return printable(formatAddress(remote));
}

/** How a log tells of the end of a connection. */
export function closing(remote: Address, reason: CloseReason): string {
  return `${named(remote)} closed, ${printable(describeCloseReason(reason))}`;
}

/** An error of the program's own: where it comes from is what one wants to know. */
function describeFailure(error: Error): string {
  return (error.stack ?? error.message).split("\n").map((line) => printable(line)).join("\n");
}

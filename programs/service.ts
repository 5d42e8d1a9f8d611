/** What a service has to be so that `server.ts` can run it. @module */
import { duration, flag, host, integer, type Option, port, size } from "../cli/option.ts";
import type { Command, Values } from "../cli/program.ts";
import type { ListenOptions } from "../socket/listener.ts";
import type { Address } from "../socket/network.ts";

/** A service that runs. */
export interface RunningService {
  readonly addresses: readonly Address[];
  /** Settles when all is closed; rejects when it failed. */
  readonly closed: Promise<void>;
  /** Figures for `state` on the control channel; plain data. */
  stats(): object;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** A service by name: its options, and how it is started from their values. */
export interface Service {
  readonly command: Command;
  start(values: SharedValues & Readonly<Record<string, unknown>>): RunningService | Promise<RunningService>;
}

/** The options that every service takes, besides its {@linkcode servicePort}. */
export const sharedOptions = {
  host: host({
    help: "Address to listen on; several with one port for all",
    repeatable: true,
    defaultText: "127.0.0.1, and ::1 where it can be bound",
    environment: "SERVER_HOST",
  }),
  maxConnections: integer({ help: "Most connections at once; 0 for no bound", default: 0, min: 0 }),
  maxConnectionsPerIp: integer({ help: "The same for each remote address", default: 0, min: 0 }),
  idleTimeout: duration({ help: "Close a peer that is silent for so long; 0 for never", default: 0 }),
  writeBuffer: size({ help: "Cut off a peer that leaves more than this unread", default: 1024 * 1024 }),
  drainTimeout: duration({ help: "Longest wait for peers when stopping", default: 10_000 }),
  control: flag({ help: "Answer each line `state` on stdin with a line of JSON on stdout" }),
  quiet: flag({ help: "No remarks on stderr, but for warnings and errors" }),
  json: flag({ help: "Machine output on stdout, one JSON object a line" }),
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
  maxLine: size({ help: "Longest line of a peer", default: 64 * 1024 }),
};

/** Values of {@linkcode sharedOptions} and the port. */
export type SharedValues = Values<typeof sharedOptions> & { readonly port: number };

/** What the shared options mean to a listener. */
export function listenOptions(
  values: SharedValues,
): Omit<ListenOptions<never>, "refusal" | "farewell" | "onClosed"> {
  const { host, port, maxConnections, maxConnectionsPerIp, idleTimeout, writeBuffer, drainTimeout } = values;
  return {
    ...(host.length > 0 ? { hostnames: host } : { hostnames: ["127.0.0.1"], tryHostnames: ["::1"] }),
    port,
    maxConnections,
    maxConnectionsPerIp,
    idleTimeout,
    writeBuffer,
    drainTimeout,
  };
}

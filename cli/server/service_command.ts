/** The interface between `server.ts` and its services. @module */
import type { OpenConnection } from "../../admin/connection_directory.ts";
import type { MonitoredProcesses, ServiceMonitor } from "../../admin/service/service_monitor.ts";
import type { Log } from "../terminal/log.ts";
import type { Option } from "../args/option.ts";
import type { Command } from "../args/program.ts";
import type { ConnectionTimeouts } from "../../socket/connection/options.ts";
import type { RelayLimits } from "../../relay/server_options.ts";
import type { Address } from "../../socket/network.ts";
import type { sharedOptions, SharedValues } from "./service_options.ts";

/** A service that runs. */
export interface RunningService {
  readonly addresses: readonly Address[];
  /** Resolves when everything is closed; rejects when the service fails. */
  readonly finished: Promise<void>;
  /** Metrics for `state` on the control channel, as plain data. */
  stats(): object;
  /** Updates `stats()` to the present, for a service that has to collect it from other processes. */
  collect?(): Promise<void>;
  /** The open connections. A service without connections does not have them. */
  readonly connections?: Iterable<OpenConnection>;
  /** Messages without an ok by the connection that sent them, for a service that knows. */
  unsettledByConnection?(): ReadonlyMap<unknown, number>;
  /** Stops accepting until `resume`. A service without connections has neither. */
  suspend?(): void | Promise<void>;
  resume?(): void | Promise<void>;
  /** The processes that an admin server shows, for a service that runs in several. */
  readonly processes?: MonitoredProcesses;
  /**
   * Changes limits and timeouts; those that are left out stay. A service without connections does not have it.
   *
   * @param changes The same by the names of options.
   */
  setLimits?(
    limits: RelayLimits,
    timeouts: ConnectionTimeouts,
    changes: URLSearchParams,
  ): void | Promise<void>;
  /**
   * Gives a backend no new connections until `restoreBackend`. A service without a choice of backends has neither.
   *
   * @throws {RangeError} If no backend has this name.
   */
  drainBackend?(name: string): void | Promise<void>;
  restoreBackend?(name: string): void | Promise<void>;
  shutdown(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An entry of the table of services: a command, and how to start it from the values of its options. `start` imports the
 * code of the service, so that a server loads only its own.
 */
export interface Service extends Command {
  readonly options: typeof sharedOptions & { readonly port: Option<number> };
  /** @throws {ExitError} If it cannot start for a reason that the user can fix, other than binding its addresses. */
  start(values: SharedValues, host: ServiceHost): Promise<RunningService>;
  /** Logs what the service does. Called once it runs, in one process or in several. Default: nothing. */
  report?(service: RunningService, values: SharedValues, host: ServiceHost): void;
}

/** The environment that the program provides to its service. */
export interface ServiceHost {
  readonly log: Log;
  /** Sets the function that reloads files while the service runs. */
  readonly onReload: (reload: Reload) => void;
  /** Collects what the admin server shows. Default: there is no admin server. */
  readonly monitor?: ServiceMonitor;
}

/** Reloads files because of a signal, and logs the result. */
export type Reload = (signal: Deno.Signal) => void;

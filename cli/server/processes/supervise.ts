/** Runs a service in several processes. @module */
import { LineFile } from "../../../loadtest/history/line_file.ts";
import { quoted } from "../../../internal/printable.ts";
import { fileError } from "../../shared/file_error.ts";
import { type Address, formatAddress } from "../../../socket/network.ts";
import type { RunningService, ServiceHost } from "../service_command.ts";
import { logListener } from "../listener_log.ts";
import type { ConnectionValues } from "../service_options.ts";
import { bindSharedPort } from "./port.ts";
import { Supervisor } from "./supervisor.ts";
import { workerArgs } from "./worker_args.ts";

/** Options for {@linkcode supervise}. */
export interface SuperviseOptions {
  /** Name of the service. */
  readonly service: string;
  /** The command line of this server. */
  readonly args: readonly string[];
  readonly values: ConnectionValues & {
    readonly processes: number;
    readonly cluster?: string | undefined;
    readonly history?: string | undefined;
    readonly historyAppend?: boolean;
    readonly to?: Address | readonly Address[];
  };
  /** The server program, to which the arguments of a process are added. */
  readonly respawn: readonly [string, ...string[]];
  readonly host: ServiceHost;
}

/**
 * Starts a service in several processes. Those of a relay form a cluster, unless they join a larger one.
 *
 * @throws {ExitError} If they cannot start.
 */
export async function supervise(options: SuperviseOptions): Promise<RunningService> {
  const { service, args, values, respawn, host } = options;
  const { processes, cluster, history, historyAppend, to } = values;
  // Before anything is created that would have to be removed again.
  const port = await bindSharedPort(values, logListener(host).onEvent);
  if (history !== undefined && !historyAppend) emptyHistory(history);
  const isRelay = service === "relay";
  const folder = isRelay && cluster === undefined ? await makeBusFolder() : undefined;
  const supervisor = await Supervisor.start({
    processes,
    clustered: isRelay,
    ...(service === "balance" && Array.isArray(to) ? { backends: to.map(formatAddress) } : {}),
    command: [
      ...respawn,
      ...workerArgs(args),
      "--until-stdin-ends",
      ...(host.monitor === undefined ? [] : ["--monitor"]),
      ...(folder === undefined ? [] : ["--cluster", `unix:${folder}`]),
      ...(history === undefined ? [] : ["--history-append"]),
    ],
    port,
    log: host.log,
    drainTimeout: values.drainTimeout,
    onEnd: async () => {
      if (folder !== undefined) await removeBusFolder(folder);
    },
  });
  host.onReload((signal) => {
    host.log.info(`${signal}: replacing the processes one after another`);
    void supervisor.restart();
  });
  return supervisor;
}

/** Creates the folder of the sockets through which the processes of a relay reach each other. */
async function makeBusFolder(): Promise<string> {
  try {
    return await Deno.makeTempDir({ prefix: "okline-" });
  } catch (cause) {
    const permitted = !(cause instanceof Deno.errors.NotCapable);
    throw fileError(`start the processes${permitted ? " without a temporary folder" : ""}`, cause);
  }
}

/** Removes the folder, unless something else has, as a job that cleans up temporary files may. */
async function removeBusFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Empties the history, to which all processes will add. */
function emptyHistory(path: string): void {
  try {
    new LineFile(path)[Symbol.dispose]();
  } catch (cause) {
    throw fileError(`write the history ${quoted(path)}`, cause);
  }
}

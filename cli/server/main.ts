/** The main function of `server.ts`: reads the command line, and runs a service until it stops. @module */
import { invocation } from "../shared/invocation.ts";
import { processEnvironment } from "../args/environment.ts";
import { ExitCode, ExitError, UsageError } from "../terminal/exit.ts";
import { Log } from "../terminal/log.ts";
import { parseCommandLine } from "../args/parse.ts";
import type { CommandLine, Program } from "../args/program.ts";
import { watchTerminal } from "../terminal/terminal.ts";
import { type Context, HEAP_FLAG, programName, VERSION } from "../run_program.ts";
import { formatAddress, unixPath } from "../../socket/network.ts";
import { LiveLimits } from "./live_limits.ts";
import { ADMIN_COMPANIONS, assertCompanions, type Companions } from "../shared/companions.ts";
import { logFailure, startLog } from "../shared/program_log.ts";
import { hasTelemetry } from "../shared/telemetry_environment.ts";
import { operate } from "./operate.ts";
import type { Reload, RunningService, Service, ServiceHost } from "./service_command.ts";
import { ServiceManager } from "./service_manager.ts";
import { requiredHosts, type SharedValues } from "./service_options.ts";
import { services } from "./services/mod.ts";

const program = {
  name: programName("server"),
  invocation: invocation("server"),
  summary: "A TCP server: a relay, or one of the small services",
  version: VERSION,
  commandNoun: "service",
  commands: services,
  defaultCommand: "relay",
} as const satisfies Program;

/** Options for {@linkcode runServer}. */
export interface RunServerOptions {
  /** With `--control`, also shuts down when stdin ends. Default `false`. */
  readonly untilStdinEnds?: boolean;
  /** The program that runs a further process of the server, without its command line. Default: `server.ts`. */
  readonly respawn?: readonly [string, ...string[]];
}

/**
 * Runs a service from its command line until it is stopped, or fails.
 *
 * @throws {ExitError} If the command line is invalid, or the service cannot start.
 */
export async function runServer(
  { args, onSignal }: Context,
  { untilStdinEnds = false, respawn = respawnCommand() }: RunServerOptions = {},
): Promise<ExitCode> {
  const told = parseCommandLine(program, { args, environment: processEnvironment });
  if ("text" in told) {
    new Log().result(told.text, {});
    return ExitCode.ok;
  }
  assertCompanions(told, COMPANIONS);
  using log = await startLog("server", told.options, told.options);
  return await logFailure(log, () => runService(told, { args, log, onSignal, untilStdinEnds, respawn }));
}

/** The option that each of these needs. */
const COMPANIONS: Companions = {
  ...ADMIN_COMPANIONS,
  untilStdinEnds: "control",
  monitor: "control",
  historyAppend: "history",
  clusterName: "cluster",
  clusterCredentials: "cluster",
  clusterCa: "cluster",
  clusterCert: "cluster",
  clusterKey: "cluster",
};

interface ServiceRun extends Context, Required<RunServerOptions> {
  readonly log: Log;
}

async function runService(
  told: CommandLine<typeof services>,
  { args, log, onSignal, untilStdinEnds, respawn }: ServiceRun,
): Promise<ExitCode> {
  // The process that controls this one logs for both what it does with it.
  const { control, admin, untilStdinEnds: controlled } = told.options;
  // Windows sends SIGHUP only when the console of a program is closed.
  const hungUp = Deno.build.os === "windows" ? () => true : watchTerminal();
  let reload: Reload | undefined;
  const onReload = (asked: Reload) => void (reload = asked);
  // Loaded only when it is used: its packages take time to load.
  const watched = admin === undefined && !told.options.monitor && !hasTelemetry()
    ? undefined
    : await import("./watch_service.ts");
  using monitor = await watched?.createMonitor(told.command);
  using manager = new ServiceManager({ onError: ({ message }) => log.warn(message) });
  const host = { log, onReload, ...(monitor && { monitor }) };
  const service = await explainingBind(told.options, async () => {
    const { command, options: values } = told;
    if (!("processes" in values) || values.processes === 1) {
      return await start(services[command], values, host);
    }
    const { supervise } = await import("./processes/supervise.ts");
    return await supervise({ service: command, args, values, respawn, host });
  });
  const entry: Service = services[told.command];
  if (!controlled) entry.report?.(service, told.options, host);
  await operate(service, {
    log,
    onSignal,
    control,
    untilStdinEnds: untilStdinEnds || controlled,
    hungUp,
    reload,
    monitor: told.options.monitor ? monitor : undefined,
    limits: service.setLimits === undefined
      ? undefined
      : new LiveLimits(service, { options: services[told.command].options, values: told.options }),
    onDraining: () => void manager.stopping(),
    async begin(control) {
      const server = await watched?.watchService(service, {
        monitor: monitor!,
        control,
        options: told.options,
        log,
      });
      // Last, when all its sockets are open, because a load test counts them from outside from now on.
      announce(service, told.command, controlled ? new Log({ json: told.options.json, quiet: true }) : log);
      await manager.ready();
      // Processes of one server share their port on purpose, and so do the nodes of a cluster.
      const isNode = "cluster" in told.options && told.options.cluster !== undefined;
      if ("reusePort" in told.options && told.options.reusePort && !controlled && !isNode) {
        const { warnOfSharedPort } = await import("./shared_port.ts");
        for (const port of new Set(service.addresses.map((address) => address.port))) {
          warnOfSharedPort(port, log);
        }
      }
      return server;
    },
  });
  return ExitCode.ok;
}

/** Returns the command that runs this server again: the compiled program itself, or Deno with its source. */
function respawnCommand(): [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath()];
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--quiet",
    HEAP_FLAG,
    new URL("../../server.ts", import.meta.url).href,
  ];
}

async function start(service: Service, values: SharedValues, host: ServiceHost): Promise<RunningService> {
  return await service.start(values, host);
}

/** Starts a service, and explains why its addresses cannot be bound. */
async function explainingBind(
  values: SharedValues,
  start: () => Promise<RunningService>,
): Promise<RunningService> {
  try {
    return await start();
  } catch (cause) {
    const hosts = requiredHosts(values);
    const why = whyNotBound(cause, hosts);
    if (why === undefined) throw cause;
    const pair = cause instanceof Deno.errors.AddrInUse ? overlapping(hosts) : undefined;
    if (pair !== undefined) {
      const [one, other] = pair;
      throw new UsageError(
        `Cannot listen on --host ${one} and --host ${other} with one port: --host ${one} includes --host ${other}, expected only one`,
        { cause },
      );
    }
    const isUnix = hosts.every((host) => unixPath(host) !== undefined);
    const where = hosts.join(", ") + (isUnix ? "" : ` port ${values.port}`);
    throw new ExitError(`Cannot listen on ${where}: ${why}`, { cause });
  }
}

/** Returns the first two hosts of which one includes the other, so that both need the same socket address. */
function overlapping(hosts: readonly string[]): readonly [string, string] | undefined {
  const includes = (one: string, other: string): boolean =>
    one === "::" || one === "0.0.0.0" && /^[\d.]+$/.test(other) || one === other;
  for (const [index, host] of hosts.entries()) {
    for (const [at, other] of hosts.entries()) {
      if (at !== index && includes(host, other)) return [host, other];
    }
  }
  return undefined;
}

/** Returns an error that the user can fix as one line, or `undefined` for any other error. */
function whyNotBound(cause: unknown, hosts: readonly string[]): string | undefined {
  if (cause instanceof Deno.errors.AddrInUse) return whyInUse(hosts);
  if (cause instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return cause.message;
  }
  if (cause instanceof Error && cause.message.includes("lookup address")) return "no such host";
  return undefined;
}

/** Returns which part of the addresses is in use, and what to do. With several hosts, the OS does not report which one. */
function whyInUse(hosts: readonly string[]): string {
  const paths = hosts.filter((host) => unixPath(host) !== undefined).length;
  if (paths === 0) return "the port is in use; choose another with --port, or a free one with --port 0";
  if (paths === hosts.length) return "the socket is in use; choose another path with --host";
  return "the port or the socket is in use; choose another with --port or --host";
}

/** Prints one line per address, for programs that wait until the server is ready. */
function announce(service: RunningService, name: string, log: Log): void {
  for (const address of service.addresses) {
    const { hostname, port } = address;
    log.result(`listening on ${formatAddress(address)}`, {
      event: "listening",
      service: name,
      host: hostname,
      port,
      pid: Deno.pid,
      version: VERSION,
    });
  }
}

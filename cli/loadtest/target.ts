/** The server of a load test: a spawned one, or a running one. @module */
import { formatDuration, MAX_DURATION } from "../../internal/duration.ts";
import { ExitError, UsageError } from "../terminal/exit.ts";
import { FAIR_IO_ENV } from "../run_program.ts";
import { describeEnd } from "../../loadtest/process/child_process.ts";
import { SpawnedServer } from "../../loadtest/process/spawned_server.ts";
import { readServerEvents } from "../../loadtest/history/server_events.ts";
import type { Plan } from "../../loadtest/plan/plan.ts";
import type { ServerUnderTest } from "../../loadtest/run_plan.ts";
import { type ProcessUsage, usageSince } from "../../loadtest/process/process_usage.ts";
import { DEFAULT_MAX_LINE } from "../../socket/codecs/line_decoder.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import { HTTP_ALPN } from "../../http/grammar.ts";
import { SelfSigned } from "./self_signed.ts";
import { tlsClient } from "../client/tls_options.ts";
import { transportArguments } from "../shared/transport_option.ts";
import type { RunValues } from "./options.ts";
import { TargetAdmin } from "./target_admin.ts";
import { PART_NAMES, respawnCommand } from "./respawn.ts";

/** The server under test, with what is needed to reach and measure it. */
export interface Target extends ServerUnderTest, AsyncDisposable {
  readonly kind: "own" | "foreign";
  readonly addresses: readonly Address[];
  /** TLS options of its clients; `undefined` without TLS. */
  readonly tls: TlsClientOptions | undefined;
  /** Returns its resource usage after it has reported its final state; all `null` for a running server. */
  usage(): ProcessUsage;
}

/** Longest time in ms until the server must reach zero after the last client is done. */
const ZERO_TIMEOUT = 5000;
/** Longest lines that may be queued for a peer before it counts as a slow reader. */
const LINES_WAITING = 64;
const LEAST_WRITE_BUFFER = 1024 * 1024;
const UNKNOWN: ProcessUsage = { cpuSeconds: null, peakMemory: null };

/**
 * Starts the server, or checks that the given one can be reached by all clients.
 *
 * @param historyPath The file to which a spawned relay writes its events. Default: none
 * @throws {UsageError} If the clients need more ports than there are
 * @throws {ExitError} If the spawned server does not start
 */
export async function prepareTarget(values: RunValues, plan: Plan, historyPath?: string): Promise<Target> {
  const tls = await tlsClient(values);
  if (values.target !== undefined) {
    const admin = values.targetAdmin && await TargetAdmin.reach(values.targetAdmin);
    const machines = values.agents?.length ?? 1;
    return foreignTarget(values.target, { plan, tls: forProtocol(values, tls), admin, machines });
  }
  if (tls !== undefined && Object.keys(tls).length > 0) {
    throw new UsageError("Cannot use --tls-ca, --tls-cert, --tls-key, or --tls-server-name without --target");
  }
  const { server, ca } = await spawnServer(values, plan, historyPath);
  const before = server.usage();
  let used = UNKNOWN;
  return {
    kind: "own",
    addresses: server.addresses,
    tls: ca === undefined ? undefined : forProtocol(values, { ca }),
    died: server.ended.then(describeEnd),
    async finalState() {
      const state = await server.untilZero(ZERO_TIMEOUT);
      used = usageSince(before, server.usage());
      return state;
    },
    async *connectionEvents(begin) {
      if (historyPath === undefined) return;
      await server.stop(); // It has written everything when it has stopped.
      yield* readServerEvents(historyPath, performance.timeOrigin + begin);
    },
    async end() {
      await server.stop();
      return server.hung;
    },
    usage: () => used,
    [Symbol.asyncDispose]: async () => void await server.stop(),
  };
}

function foreignTarget(
  target: Address,
  { plan, tls, admin, machines }: Pick<Target, "tls"> & {
    readonly plan: Plan;
    readonly admin: TargetAdmin | undefined;
    /** Machines that run clients: each has ports of its own. */
    readonly machines: number;
  },
): Target {
  refusing(() => plan.assertEnoughPorts(formatAddress(target), machines));
  return {
    kind: "foreign",
    addresses: [target],
    tls,
    finalState: () => admin?.untilZero() ?? Promise.resolve(null),
    usage: () => UNKNOWN,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function forProtocol(
  { protocol }: RunValues,
  tls: TlsClientOptions | undefined,
): TlsClientOptions | undefined {
  return tls && protocol === "hello" ? { ...tls, alpn: HTTP_ALPN } : tls;
}

/** Starts the server. With TLS, also returns the authority of its certificate. */
async function spawnServer(
  { protocol, port, replyDelay, tls, token, transport, serverProcesses, cluster }: RunValues,
  plan: Plan,
  historyPath: string | undefined,
): Promise<{ readonly server: SpawnedServer; readonly ca: string | undefined }> {
  const addresses = refusing(() => plan.loopbackAddresses);
  const hostnames = Array.from({ length: addresses }, (_, k) => `127.0.0.${k + 1}`);
  const lines = ["--max-line", `${Math.max(DEFAULT_MAX_LINE, plan.longestLine)}`];
  const particular = {
    relay: [
      ...lines,
      "--ack-timeout",
      `${Math.min(plan.ackTimeout, MAX_DURATION)}ms`,
      ...(historyPath === undefined ? [] : ["--history", historyPath]),
    ],
    echo: lines,
    hello: ["--delay", formatDuration(replyDelay.type === "fixed" ? replyDelay.delay : 0)],
  };
  const writeBuffer = Math.max(LEAST_WRITE_BUFFER, LINES_WAITING * plan.longestLine);
  await using identity = tls ? await SelfSigned.create(hostnames) : undefined;
  try {
    const server = await SpawnedServer.start({
      command: [
        ...respawnCommand(PART_NAMES.server, protocol),
        "--write-buffer",
        `${writeBuffer}`,
        ...particular[protocol],
        ...transportArguments(transport),
        // A new name, because the cluster may have other nodes.
        ...(cluster === undefined ? [] : ["--cluster", cluster, "--cluster-name", crypto.randomUUID()]),
        ...(identity?.serverOptions ?? []),
      ],
      // Not on its command line, which other users of this machine can read.
      env: { ...FAIR_IO_ENV, ...(token === undefined ? {} : { OKLINE_TOKEN: token }) },
      hostnames,
      processes: serverProcesses,
      ...(port === undefined ? {} : { port }),
    });
    return { server, ca: identity?.certificate };
  } catch (cause) {
    throw new ExitError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function refusing<Result>(plan: () => Result): Result {
  try {
    return plan();
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}

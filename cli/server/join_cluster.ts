/** Joins a relay to the cluster that `--cluster` names. @module */
import { type Network, unixPath } from "../../socket/network.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { Bus } from "../../relay/cluster/bus.ts";
import type { RelayServer } from "../../relay/server.ts";
import { quoted } from "../../internal/printable.ts";
import { ExitError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";

/** The form of {@linkcode parseCluster}'s argument, for help and errors. */
export const CLUSTER_NOTATION =
  "nats://HOST:PORT or tls://HOST:PORT, several separated by commas, or unix:/folder";

/**
 * Checks the URL of a cluster, and returns it.
 *
 * @throws {RangeError} If it has another form.
 */
export function parseCluster(url: string): string {
  const valid = unixPath(url)
    ? true
    : url.split(",").every((server) => /^(nats|tls):\/\/[^/,]+$/.test(server));
  if (!valid) throw new RangeError(`Expected ${CLUSTER_NOTATION}, got ${quoted(url)}`);
  return url;
}

/** The cluster to join. */
export interface ClusterOptions {
  /** `nats://HOST:PORT`, several separated by commas, or `unix:/folder`. */
  readonly url: string;
  /** Name of the cluster at NATS. */
  readonly name: string;
  /** The network of the relay's connections: one event loop serves both. */
  readonly network: Network;
  readonly log: Log;
}

/**
 * Joins a relay to a cluster. Closes the relay if that fails.
 *
 * @throws {ExitError} If the cluster cannot be reached.
 */
export async function joinCluster(relay: RelayServer, options: ClusterOptions): Promise<void> {
  try {
    // On the clock of the server, heartbeats would count as timers that its connections have left behind.
    await relay.join(await busOf(options), { clock: systemClock });
  } catch (cause) {
    await relay.close();
    throw new ExitError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function busOf({ url, name, network, log }: ClusterOptions): Promise<Bus> {
  const node = crypto.randomUUID();
  const folder = unixPath(url);
  if (folder !== undefined) {
    const { LocalBus } = await import("../../relay/cluster/local_bus.ts");
    return new LocalBus({ node, folder, network });
  }
  const { NatsBus } = await import("../../relay/cluster/nats_bus.ts");
  return new NatsBus({
    node,
    servers: url.split(","),
    name,
    onWarning: (message) => log.warn("{message}", { event: "cluster", message }),
  });
}

/** Joins a relay to the cluster that `--cluster` names. @module */
import { type Network, unixPath } from "../../socket/network.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { Bus } from "../../relay/cluster/bus.ts";
import type { NatsBusOptions } from "../../relay/cluster/nats_bus.ts";
import type { RelayServer } from "../../relay/server.ts";
import { quoted } from "../../internal/printable.ts";
import { ExitError, UsageError } from "../terminal/exit.ts";
import { readAuthority, readIdentity } from "../shared/pem.ts";
import { readTextFile } from "../shared/text_file.ts";
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
  /** Path of a credentials file for NATS. */
  readonly credentials: string | undefined;
  /** Paths of PEM files for TLS with NATS. */
  readonly tls: Readonly<Record<"caFile" | "certFile" | "keyFile", string | undefined>>;
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
    if (cause instanceof ExitError) throw cause;
    throw new ExitError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function busOf({ url, name, network, log, ...security }: ClusterOptions): Promise<Bus> {
  const node = crypto.randomUUID();
  const folder = unixPath(url);
  if (folder !== undefined) {
    if ([security.credentials, ...Object.values(security.tls)].some((file) => file !== undefined)) {
      throw new UsageError(
        "Cannot use credentials or TLS files with --cluster unix:/folder: they are for NATS",
      );
    }
    const { LocalBus } = await import("../../relay/cluster/local_bus.ts");
    return new LocalBus({
      node,
      folder,
      network,
      onError: (error) =>
        log.error("Cannot go on with another process: {error}", { event: "cluster", error: error.message }),
    });
  }
  const { NatsBus } = await import("../../relay/cluster/nats_bus.ts");
  return new NatsBus({
    node,
    servers: url.split(","),
    name,
    ...await securityOf(security),
    network,
    onWarning: (message) => log.warn("{message}", { event: "cluster", message }),
  });
}

/** Reads the files of `--cluster-credentials`, `--cluster-ca`, `--cluster-cert`, and `--cluster-key`. */
async function securityOf(
  { credentials, tls: files }: Pick<ClusterOptions, "credentials" | "tls">,
): Promise<Pick<NatsBusOptions, "credentials" | "tls" | "requireTls">> {
  const { caFile, certFile, keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError(
      "Cannot use --cluster-cert without --cluster-key, or the other way around: expected both",
    );
  }
  const { ClientTls } = await import("../../tls/layer.ts");
  const tls = new ClientTls({
    ...(caFile === undefined ? {} : { ca: await readAuthority(caFile) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { identity: await readIdentity({ certificate: certFile, key: keyFile }) }),
  });
  return {
    ...(credentials === undefined ? {} : { credentials: await readCredentials(credentials) }),
    tls,
    ...(caFile === undefined && certFile === undefined ? {} : { requireTls: true }),
  };
}

/** Reads a credentials file, and checks it as the NATS client would do, which does not name the file. */
async function readCredentials(file: string): Promise<Uint8Array> {
  const credentials = new TextEncoder().encode(await readTextFile(file));
  const { credsAuthenticator } = await import("@nats-io/nats-core/internal");
  try {
    await credsAuthenticator(credentials)("nonce");
  } catch (cause) {
    throw new ExitError(`Cannot use ${quoted(file)} for NATS: expected the JWT and the seed of a user`, {
      cause,
    });
  }
  return credentials;
}

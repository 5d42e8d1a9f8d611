/** The TLS options of a server. @module */
import { ExitError, UsageError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { choice, group, text } from "../args/option.ts";
import { printable, quoted } from "../../internal/printable.ts";
import type { Values } from "../args/program.ts";
import type { Identity } from "../../tls/certificate.ts";
import type { Network } from "../../socket/network.ts";
import type { ServerTls } from "../../tls/layer.ts";
import type { TlsServerOptions } from "../../tls/mod.ts";
import type { transportOption } from "../shared/transport_option.ts";
import { type inheritOption, listeningNetwork } from "./inherited_sockets.ts";
import { type IdentityFiles, readAuthority, readIdentity } from "../shared/pem.ts";

const file = { placeholder: "FILE" } as const;

/** The TLS options of every service with connections. */
export const tlsServerOptions = group("TLS", {
  tlsCert: text({
    help: "Certificate (PEM); further ones are chosen by server name",
    repeatable: true,
    ...file,
  }),
  tlsKey: text({
    help: "Private key (PEM) of each certificate; SIGHUP reloads the files",
    repeatable: true,
    ...file,
  }),
  tlsClientCa: text({ help: "Require client certificates from this authority (PEM)", ...file }),
  tlsMinVersion: choice(["TLSv1.2", "TLSv1.3"], { help: "Oldest TLS version", defaultText: "TLSv1.2" }),
  tlsAlpn: text({
    help: "ALPN protocol, in order of preference",
    placeholder: "NAME",
    repeatable: true,
    defaultText: "http/1.1 for http and hello",
  }),
});

/** The protocol of a service over TLS. */
export interface ServiceTls {
  /** The ALPN protocols without an option. Default: none. */
  readonly alpn?: readonly string[];
  /** Creates the message for a client that is refused. Default: a line. */
  readonly notice?: (why: string) => string;
}

/** The context of {@linkcode serverNetwork}. */
export interface TlsServerContext extends ServiceTls {
  readonly log: Log;
  /** Sets the function that reloads the files. */
  readonly onReload: (reload: (signal: Deno.Signal) => void) => void;
}

/** The options, before any file is read. */
interface TlsFiles {
  readonly identities: readonly [IdentityFiles, ...IdentityFiles[]];
  readonly clientCa: string | undefined;
  readonly rest: Pick<TlsServerOptions, "minVersion" | "alpn" | "notice">;
}

/**
 * Returns the network for these options, and TLS if there is a certificate. The function passed to `onReload` reloads its files.
 *
 * @throws {UsageError} If a certificate lacks its key, or another option lacks a certificate.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function serverNetwork(
  values: Values<typeof tlsServerOptions & typeof transportOption & typeof inheritOption>,
  context: TlsServerContext,
): Promise<{ network: Network; tls?: ServerTls }> {
  const files = filesOf(values, context);
  const below = await listeningNetwork(values);
  if (files === undefined) return { network: below };
  const { log, onReload } = context;
  const { ServerTls } = await import("../../tls/layer.ts");
  const options = await read(files, log);
  const tls = supported(() => new ServerTls(options));
  const reload = async (signal: Deno.Signal): Promise<void> => {
    try {
      tls.reload(await read(files, log));
      log.info(`${signal}: reloaded the certificates`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.error(`${signal}: keeping the old certificates: ${error.message}`);
    }
  };
  // One after another, so that the last one takes effect.
  let reloading = Promise.resolve();
  onReload((signal) => void (reloading = reloading.then(() => reload(signal))));
  return { network: below, tls };
}

function supported<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotSupported)) throw cause;
    throw new ExitError(cause.message, { cause });
  }
}

function filesOf(
  values: Values<typeof tlsServerOptions>,
  { alpn: ownAlpn = [], notice }: ServiceTls,
): TlsFiles | undefined {
  const { tlsCert, tlsKey, tlsClientCa: clientCa, tlsMinVersion: minVersion, tlsAlpn } = values;
  if (tlsCert.length !== tlsKey.length) {
    throw new UsageError(
      `Cannot start TLS: got ${tlsCert.length} --tls-cert and ${tlsKey.length} --tls-key, expected one key per certificate`,
    );
  }
  const [first, ...others] = tlsCert.map((certificate, index) => ({ certificate, key: tlsKey[index]! }));
  if (first === undefined) {
    if (clientCa !== undefined || minVersion !== undefined || tlsAlpn.length > 0) {
      throw new UsageError(
        "Cannot use --tls-client-ca, --tls-min-version, or --tls-alpn without --tls-cert and --tls-key",
      );
    }
    return undefined;
  }
  const alpn = tlsAlpn.length > 0 ? tlsAlpn : ownAlpn;
  return {
    identities: [first, ...others],
    clientCa,
    rest: {
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(alpn.length === 0 ? {} : { alpn }),
      ...(notice === undefined ? {} : { notice }),
    },
  };
}

async function read(files: TlsFiles, log: Log): Promise<TlsServerOptions> {
  const { identities: [first, ...others], clientCa, rest } = files;
  return {
    identity: await readOwn(first, log),
    hosts: await hostsOf(others, log),
    ...(clientCa === undefined ? {} : { clientCa: await readAuthority(clientCa) }),
    ...rest,
  };
}

/** Reads a certificate and its key, and warns if the certificate is not valid now. */
async function readOwn(files: IdentityFiles, log: Log): Promise<Identity> {
  const identity = await readIdentity(files);
  const { readCertificate } = await import("../../tls/certificate.ts");
  const { validFrom, validTo } = readCertificate(identity.certificate);
  const [from, until, now] = [new Date(validFrom), new Date(validTo), Date.now()];
  const certificate = `Certificate ${quoted(files.certificate)}`;
  if (until.getTime() < now) {
    log.warn(`${certificate} has expired: it was valid until ${until.toISOString()}`);
  } else if (from.getTime() > now) log.warn(`${certificate} is not valid before ${from.toISOString()}`);
  return identity;
}

/** Returns the identities by the server names in their certificates. */
async function hostsOf(
  all: readonly IdentityFiles[],
  log: Log,
): Promise<Readonly<Record<string, Identity>>> {
  const { certificateNames } = await import("../../tls/certificate.ts");
  const owners = new Map<string, string>();
  const hosts: Record<string, Identity> = {};
  for (const files of all) {
    const identity = await readOwn(files, log);
    const names = certificateNames(identity.certificate);
    if (names.length === 0) {
      throw new ExitError(`Cannot choose ${quoted(files.certificate)} by server name: it contains no name`);
    }
    for (const name of names) {
      const owner = owners.get(name);
      if (owner !== undefined) {
        throw new ExitError(
          `Cannot choose a certificate for ${printable(name)}: both ${quoted(owner)} and ${
            quoted(files.certificate)
          }`,
        );
      }
      owners.set(name, files.certificate);
      hosts[name] = identity;
    }
  }
  return hosts;
}

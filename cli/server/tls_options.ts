/** The options by which a server speaks TLS. @module */
import { ExitError, UsageError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { choice, text } from "../args/option.ts";
import { printable, quoted } from "../../internal/printable.ts";
import type { Values } from "../args/program.ts";
import type { Identity } from "../../tls/certificate.ts";
import type { Network } from "../../socket/network.ts";
import type { TlsServerOptions } from "../../tls/mod.ts";
import { transportNetwork, type transportOption } from "../shared/transport_option.ts";
import { type IdentityFiles, readAuthority, readIdentity } from "../shared/pem.ts";

const file = { placeholder: "FILE" } as const;

/** Of every service with connections. */
export const tlsServerOptions = {
  tlsCert: text({
    help: "Speak TLS with this certificate (PEM); each further one serves the names in it",
    repeatable: true,
    ...file,
  }),
  tlsKey: text({
    help: "The private key (PEM) of each certificate, in their order; SIGHUP reads all again",
    repeatable: true,
    ...file,
  }),
  tlsClientCa: text({ help: "Serve only clients with a certificate of this authority", ...file }),
  tlsMinVersion: choice(["TLSv1.2", "TLSv1.3"], { help: "Oldest version of TLS", defaultText: "TLSv1.2" }),
  tlsAlpn: text({
    help: "Protocol offered by ALPN, the best first; a client that offers only others is refused",
    placeholder: "NAME",
    repeatable: true,
    defaultText: "what the service speaks, where that has a name: http/1.1",
  }),
};

/** What a service speaks by TLS. */
export interface ServiceTls {
  /** What is offered by ALPN where no option says. Default: nothing. */
  readonly alpn?: readonly string[];
  /** Makes what a client is told that may not stay. Default: a line. */
  readonly notice?: (why: string) => string;
}

/** What {@linkcode serverNetwork} needs besides the options. */
export interface TlsServerContext extends ServiceTls {
  readonly log: Log;
  /** Takes what reads the files again. */
  readonly onReload: (reload: (signal: Deno.Signal) => void) => void;
}

/** What the options say, before a file is read. */
interface TlsFiles {
  readonly identities: readonly [IdentityFiles, ...IdentityFiles[]];
  readonly clientCa: string | undefined;
  readonly rest: Pick<TlsServerOptions, "minVersion" | "alpn" | "notice">;
}

/**
 * The network that these options ask for; none where they ask for no TLS. What it hands to `onReload` makes it read its files again.
 *
 * @throws {UsageError} If a certificate comes without its key, or one of the other options without a certificate.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function serverNetwork(
  values: Values<typeof tlsServerOptions & typeof transportOption>,
  context: TlsServerContext,
): Promise<{ network?: Network }> {
  const files = filesOf(values, context);
  const below = await transportNetwork(values.transport);
  if (files === undefined) return { network: below };
  const { log, onReload } = context;
  const { TlsNetwork } = await import("../../tls/mod.ts");
  const server = await read(files, log);
  const network = supported(() => new TlsNetwork(below, { server }));
  const reload = async (signal: Deno.Signal): Promise<void> => {
    try {
      network.reload(await read(files, log));
      log.info(`${signal}: read the certificate again`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.error(`${signal}: the old certificate stays: ${error.message}`);
    }
  };
  // One after another: what was read last is to count.
  let reloading = Promise.resolve();
  onReload((signal) => void (reloading = reloading.then(() => reload(signal))));
  return { network };
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
      `TLS needs both --tls-cert and --tls-key, as many of one as of the other: got ${tlsCert.length} and ${tlsKey.length}`,
    );
  }
  const [first, ...others] = tlsCert.map((certificate, index) => ({ certificate, key: tlsKey[index]! }));
  if (first === undefined) {
    if (clientCa !== undefined || minVersion !== undefined || tlsAlpn.length > 0) {
      throw new UsageError(
        "Options --tls-client-ca, --tls-min-version and --tls-alpn go with --tls-cert and --tls-key",
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

/** Reads a certificate and its key, and warns of one that no client takes today. */
async function readOwn(files: IdentityFiles, log: Log): Promise<Identity> {
  const identity = await readIdentity(files);
  const { readCertificate } = await import("../../tls/certificate.ts");
  const { validFrom, validTo } = readCertificate(identity.certificate);
  const [from, until, now] = [new Date(validFrom), new Date(validTo), Date.now()];
  const certificate = `Certificate ${quoted(files.certificate)}`;
  if (until.getTime() < now) log.warn(`${certificate} has expired: it was good until ${until.toISOString()}`);
  else if (from.getTime() > now) log.warn(`${certificate} is not good before ${from.toISOString()}`);
  return identity;
}

/** Who the server is to whom, by the names that the certificates have in them. */
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
      throw new ExitError(`Cannot choose ${quoted(files.certificate)} by server name: it has no name in it`);
    }
    for (const name of names) {
      const owner = owners.get(name);
      if (owner !== undefined) {
        throw new ExitError(
          `Cannot choose a certificate for ${printable(name)}: it is in ${quoted(owner)} and in ${
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

/** The options by which a server speaks TLS. @module */
import { ExitError, UsageError } from "../cli/exit.ts";
import type { Log } from "../cli/log.ts";
import { choice, text } from "../cli/option.ts";
import { printable, quoted } from "../cli/printable.ts";
import type { Values } from "../cli/program.ts";
import type { Identity } from "../socket/identity.ts";
import type { Network } from "../socket/network.ts";
import { systemNetwork } from "../socket/system.ts";
import type { TlsServerOptions } from "../socket/tls.ts";
import { type IdentityFiles, readAuthority, readIdentity } from "./pem.ts";

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

/** What a service adds to the options. */
export interface TlsServerContext {
  readonly log: Log;
  /** What is offered by ALPN where no option says. Default: nothing. */
  readonly alpn?: readonly string[] | undefined;
}

/** What the options say, before a file is read. */
interface TlsFiles {
  readonly identities: readonly [IdentityFiles, ...IdentityFiles[]];
  readonly clientCa: string | undefined;
  readonly rest: Pick<TlsServerOptions, "minVersion" | "alpn">;
}

/**
 * The network that these options ask for; none where they ask for no TLS. SIGHUP makes it read its files again.
 *
 * @throws {UsageError} If a certificate comes without its key, or one of the other options without a certificate.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function serverNetwork(
  values: Values<typeof tlsServerOptions>,
  { log, alpn }: TlsServerContext,
): Promise<{ network?: Network }> {
  const files = filesOf(values, alpn);
  if (files === undefined) return {};
  const { TlsNetwork } = await import("../socket/tls.ts");
  const network = new TlsNetwork(systemNetwork, { server: await read(files) });
  // Windows knows the signal, and ends the program by it when a console is closed.
  if (Deno.build.os === "windows") return { network };
  Deno.addSignalListener("SIGHUP", () => {
    read(files).then((server) => network.reload(server)).then(
      () => log.info("SIGHUP: read the certificate again"),
      (error: Error) => log.error(`SIGHUP: the old certificate stays: ${error.message}`),
    );
  });
  return { network };
}

function filesOf(
  values: Values<typeof tlsServerOptions>,
  ownAlpn: readonly string[] = [],
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
    },
  };
}

async function read({ identities: [first, ...others], clientCa, rest }: TlsFiles): Promise<TlsServerOptions> {
  return {
    identity: await readIdentity(first),
    hosts: await hostsOf(others),
    ...(clientCa === undefined ? {} : { clientCa: await readAuthority(clientCa) }),
    ...rest,
  };
}

/** Who the server is to whom, by the names that the certificates have in them. */
async function hostsOf(all: readonly IdentityFiles[]): Promise<Readonly<Record<string, Identity>>> {
  const { certificateNames } = await import("../socket/identity.ts");
  const owners = new Map<string, string>();
  const hosts: Record<string, Identity> = {};
  for (const files of all) {
    const identity = await readIdentity(files);
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

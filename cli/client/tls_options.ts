/** The options by which a client connects: transport and TLS. @module */
import { UsageError } from "../terminal/exit.ts";
import { flag, text } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { Network } from "../../socket/network.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import { readAuthority, readIdentity } from "../shared/pem.ts";
import { transportNetwork, transportOption } from "../shared/transport_option.ts";

/** Of every client of a service with connections. */
export const tlsClientOptions = {
  ...transportOption,
  tls: flag({ help: "Speak TLS with the server" }),
  tlsCa: text({
    help: "Trust the authority in this file (PEM)",
    placeholder: "FILE",
    defaultText: "those that come with the program",
  }),
  tlsCert: text({ help: "Show the server this certificate (PEM)", placeholder: "FILE" }),
  tlsKey: text({ help: "Its private key (PEM)", placeholder: "FILE" }),
  tlsServerName: text({
    help: "The name to ask for, and to find in the server's certificate",
    placeholder: "NAME",
    defaultText: "the host",
  }),
};

/** Values of {@linkcode tlsClientOptions}. */
export type TlsClientValues = Values<typeof tlsClientOptions>;

/**
 * The network that these options ask for.
 *
 * @param options.alpn What the client speaks, where that has a name by ALPN. Default: nothing.
 * @throws {UsageError} As {@linkcode tlsClient} does.
 * @throws {ExitError} As {@linkcode tlsClient} does.
 */
export async function clientNetwork(
  values: TlsClientValues,
  { alpn }: { readonly alpn?: readonly string[] } = {},
): Promise<Network> {
  const client = await tlsClient(values);
  return await securedNetwork(
    await transportNetwork(values.transport),
    client && { ...client, ...(alpn === undefined ? {} : { alpn }) },
  );
}

/**
 * How to speak TLS, `undefined` for not at all.
 *
 * @throws {UsageError} If one of the TLS options comes without `--tls`, or the certificate without its key.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function tlsClient(values: TlsClientValues): Promise<TlsClientOptions | undefined> {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServerName } = values;
  if (!tls) {
    if ((tlsCa ?? tlsCert ?? tlsKey ?? tlsServerName) === undefined) return undefined;
    throw new UsageError("Options --tls-ca, --tls-cert, --tls-key and --tls-server-name go with --tls");
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("A certificate needs both --tls-cert and --tls-key");
  }
  return {
    ...(tlsCa === undefined ? {} : { ca: await readAuthority(tlsCa) }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { identity: await readIdentity({ certificate: tlsCert, key: tlsKey }) }),
  };
}

/** The connection options of a client: transport and TLS. @module */
import { UsageError } from "../terminal/exit.ts";
import { flag, group, text } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import type { Network } from "../../socket/network.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import { readAuthority, readIdentity } from "../shared/pem.ts";
import { transportNetwork, transportOption } from "../shared/transport_option.ts";

/** The TLS options of every client of a service with connections. */
export const tlsClientOptions = {
  ...group("Connecting", transportOption),
  ...group("TLS", {
    tls: flag({ help: "Connect over TLS" }),
    tlsCa: text({
      help: "Certificate authority (PEM) to trust",
      placeholder: "FILE",
      defaultText: "those built in",
    }),
    tlsCert: text({ help: "Client certificate (PEM)", placeholder: "FILE" }),
    tlsKey: text({ help: "Private key (PEM) of the certificate", placeholder: "FILE" }),
    tlsServerName: text({
      help: "Server name to request and verify",
      placeholder: "NAME",
      defaultText: "the host",
    }),
  }),
};

/** Values of {@linkcode tlsClientOptions}. */
export type TlsClientValues = Values<typeof tlsClientOptions>;

/**
 * Returns the network for these options.
 *
 * @param options.alpn The ALPN protocols of the client. Default: none.
 * @throws {UsageError} The errors of {@linkcode tlsClient}.
 * @throws {ExitError} The errors of {@linkcode tlsClient}.
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
 * Returns the TLS options, or `undefined` without TLS.
 *
 * @throws {UsageError} If a TLS option lacks `--tls`, or the certificate lacks its key.
 * @throws {ExitError} If a file cannot be read or used.
 */
export async function tlsClient(values: TlsClientValues): Promise<TlsClientOptions | undefined> {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServerName } = values;
  if (!tls) {
    if ((tlsCa ?? tlsCert ?? tlsKey ?? tlsServerName) === undefined) return undefined;
    throw new UsageError("Cannot use --tls-ca, --tls-cert, --tls-key, or --tls-server-name without --tls");
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("Cannot use --tls-cert without --tls-key, or --tls-key without --tls-cert");
  }
  return {
    ...(tlsCa === undefined ? {} : { ca: await readAuthority(tlsCa) }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { identity: await readIdentity({ certificate: tlsCert, key: tlsKey }) }),
  };
}

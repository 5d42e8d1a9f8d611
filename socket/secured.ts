/** TLS where it is asked for, loaded only then. @module */
import type { Network } from "./network.ts";
import type { TlsClientOptions } from "./tls_options.ts";

/**
 * What clients dial by who speak TLS over `network` in this way.
 *
 * @param client `undefined` for those who do not: it is `network` itself then.
 */
export async function securedNetwork(
  network: Network,
  client: TlsClientOptions | undefined,
): Promise<Network> {
  if (client === undefined) return network;
  const { TlsNetwork } = await import("./tls.ts");
  return new TlsNetwork(network, { client });
}

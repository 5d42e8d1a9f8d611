/** TLS where it is asked for, loaded only then. @module */
import type { Network } from "../socket/network.ts";
import type { TlsClientOptions } from "./options.ts";

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
  const { TlsNetwork } = await import("./mod.ts");
  return new TlsNetwork(network, { client });
}

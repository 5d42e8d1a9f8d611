/** Loads TLS only when it is used. @module */
import type { Network } from "../socket/network.ts";
import type { TlsClientOptions } from "./options.ts";

/**
 * Returns a network that speaks TLS over `network` with these options.
 *
 * @param client Without options, `network` itself is returned.
 */
export async function securedNetwork(
  network: Network,
  client: TlsClientOptions | undefined,
): Promise<Network> {
  if (client === undefined) return network;
  const { TlsNetwork } = await import("./network.ts");
  return new TlsNetwork(network, { client });
}

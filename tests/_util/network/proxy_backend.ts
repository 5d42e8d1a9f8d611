/** Backends of proxies under test. */
import { ownAddress } from "./own_address.ts";
import { bytesCodec, type Connection, listen, type Listener } from "../../../socket/mod.ts";

/** A backend whose connections a test handles. */
export function startBackend(
  handler: (connection: Connection<Uint8Array>) => Promise<void>,
): Listener<Uint8Array> {
  const listener = listen({ codec: bytesCodec });
  listener.serve(handler).catch(() => {});
  return listener;
}

/** Returns a loopback address. */
export function at(port: number): { hostname: string; port: number } {
  return { hostname: "127.0.0.1", port };
}

/** Reads to the end. */
export async function readAll(connection: Connection<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of connection) text += decoder.decode(bytes, { stream: true });
  return text;
}

/** Returns an address without a listener, which stays free. */
export async function unusedAddress(): Promise<{ hostname: string; port: number }> {
  const hostname = ownAddress();
  const listener = listen({ hostnames: [hostname] });
  const { port } = listener;
  await listener.close();
  return { hostname, port };
}

/** Two ends of a fresh connection, on any network. */
import { TlsTransport } from "../../../tls/transport.ts";
import type { Network, Transport, TransportListener } from "../../../socket/network.ts";

/** A bound listener with a peer connected to it; closes what is open. */
export interface TransportPair extends Disposable {
  readonly listener: TransportListener;
  readonly near: Transport;
  readonly far: Transport;
}

export async function transportPair(network: Network): Promise<TransportPair> {
  const listener = network.listen({ port: 0 });
  const [near, far] = await Promise.all([
    network.connect({ port: listener.address.port }),
    listener.accept(),
  ]);
  // With TLS this end is done first: what the other has to say of the handshake comes before its first byte.
  if (far instanceof TlsTransport) {
    await far.write(text("."));
    await near.read(new Uint8Array(1));
  }
  return {
    listener,
    near,
    far,
    [Symbol.dispose]() {
      near.close();
      far.close();
      listener.close();
    },
  };
}

const PIECE = new Uint8Array(64 * 1024);

/** Writes by calls until the socket takes no more; gives the bytes written. */
export function fill(transport: Transport): number {
  let bytes = 0;
  for (let count; (count = transport.writeNow!(PIECE, PIECE.length)) > 0;) bytes += count;
  return bytes;
}

/** Reads once into a fresh buffer: the text, or `null` at FIN. */
export async function readText(
  transport: Transport,
  options: { size?: number } = {},
): Promise<string | null> {
  const buffer = new Uint8Array(options.size ?? 1024);
  const count = await transport.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** Reads and discards until `null`; gives the bytes read. */
export async function readToEnd(transport: Transport): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let bytes = 0;
  for (;;) {
    const count = await transport.read(buffer);
    if (count === null) return bytes;
    bytes += count;
  }
}

/** Writes until a write fails, and gives its error. */
export async function writeUntilError(transport: Transport): Promise<unknown> {
  try {
    for (;;) await transport.write(text("x"));
  } catch (error) {
    return error;
  }
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

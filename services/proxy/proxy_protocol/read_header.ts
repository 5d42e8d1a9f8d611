/** Reads the header of a connection. @module */
import type { Clock } from "../../../internal/clock.ts";
import type { Connection } from "../../../socket/connection.ts";
import { ProxyProtocolError } from "./header.ts";
import { ProxyHeaderReader, type ReadHeader } from "./reader.ts";

const HEADER_TIMEOUT = 5000;

/**
 * Reads the header that a connection begins with, for at most five seconds; then the connection is aborted.
 *
 * @throws {ProxyProtocolError} If the header is missing or invalid.
 */
export async function readProxyHeader(client: Connection<Uint8Array>, clock: Clock): Promise<ReadHeader> {
  const ms = HEADER_TIMEOUT;
  const timer = clock.after(ms, () => client.abort({ type: "timeout", which: "PROXY header", ms }));
  try {
    const reader = new ProxyHeaderReader();
    for await (const bytes of client) {
      const read = reader.push(bytes);
      if (read) return read;
    }
    throw new ProxyProtocolError("Connection ended inside the PROXY header");
  } finally {
    timer.cancel();
  }
}

/** Sending at the pace of the peer. @module */
import type { Connection } from "../../socket/connection.ts";

/**
 * Sends frames no faster than the peer accepts them, and stops when the connection can send no more. Resolves when the
 * peer has accepted all of them, or when they are queued if they are few.
 *
 * @throws {ConnectionClosedError} If the connection closes while bytes are queued.
 */
export async function sendFrames(
  connection: Connection<Uint8Array>,
  frames: Iterable<Uint8Array>,
): Promise<void> {
  let waited = false;
  for (const frame of frames) {
    if (!connection.send(frame)) {
      await connection.flushed();
      waited = true;
    }
    // Otherwise the rest would be created for a peer that has left.
    if (connection.writeEnded) return;
  }
  // The next wait is for the peer to send, so it must have everything. A few frames alone wait for nothing: then those
  // of pipelined requests go out in one write.
  if (waited) await connection.flushed();
}

/** Refuses peers of a TLS server, and sends them the reason. @module */
import type { TLSSocket } from "node:tls";
import type { TlsError } from "../socket/errors.ts";
import type { Transport } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import type { TlsTransport } from "./transport.ts";

// Longest time in ms that a refused peer may take to leave. Closing immediately, with unread bytes, would reset the
// connection, and the reset would discard the reason.
const LEAVE_TIMEOUT = 1000;

/** A peer to refuse. */
export interface RefusedPeer {
  readonly transport: TlsTransport;
  /** The underlying transport. */
  readonly inner: Transport;
  readonly clock: Clock;
  readonly error: TlsError;
  /** The message that the peer receives. */
  readonly notice: Uint8Array;
}

/** Refuses a peer before the handshake, and sends the message in plain text. */
export function refuseUnsecured(peer: RefusedPeer): Promise<void> {
  const { inner, notice } = peer;
  return leave(peer, async () => {
    for (let rest = notice; rest.length > 0;) {
      rest = rest.subarray(await inner.write(rest));
    }
    await inner.closeWrite();
    const dropped = new Uint8Array(4096);
    while (await inner.read(dropped) !== null);
  });
}

/** Refuses a peer after the handshake. */
export function refuseSecured(socket: TLSSocket, peer: RefusedPeer): Promise<void> {
  const { transport, inner, notice } = peer;
  return leave(peer, async () => {
    const gone = new Promise<void>((resolve) => socket.once("end", resolve));
    socket.resume();
    await new Promise<void>((resolve) => socket.end(notice, resolve));
    await null; // The close_notify is passed to the stream at the end of this turn.
    await transport.stream.written();
    await inner.closeWrite();
    await gone;
  }).finally(() => socket.destroy());
}

async function leave({ transport, clock, error }: RefusedPeer, say: () => Promise<void>): Promise<void> {
  transport.refuse(error);
  const timer = clock.after(LEAVE_TIMEOUT, () => transport.fail(error));
  try {
    // The handshake will not complete: it rejects when the transport is closed.
    await Promise.race([say(), transport.secured]);
  } catch {
    // The peer has gone, or took too long: it cannot receive the reason anymore.
  } finally {
    timer.cancel();
    transport.fail(error);
  }
}

/** Peers of a TLS server that may not stay, and are told why. @module */
import type { TLSSocket } from "node:tls";
import type { TlsError } from "../socket/errors.ts";
import type { Transport } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import type { TlsTransport } from "./transport.ts";

// Longest time in ms that such a peer may take to go away. Closed at once, with bytes of it unread, the connection would be
// reset, and with it what the peer is told.
const LEAVE_TIMEOUT = 1000;

/** A peer that may not stay. */
export interface RefusedPeer {
  readonly transport: TlsTransport;
  /** What is below it. */
  readonly inner: Transport;
  readonly clock: Clock;
  readonly error: TlsError;
  /** What it is told. */
  readonly notice: Uint8Array;
}

/** Refuses a peer that no handshake is begun with: what it is told goes out as it is. */
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

/** Refuses a peer that has shaken hands. */
export function refuseSecured(socket: TLSSocket, peer: RefusedPeer): Promise<void> {
  const { transport, inner, notice } = peer;
  return leave(peer, async () => {
    const gone = new Promise<void>((resolve) => socket.once("end", resolve));
    socket.resume();
    await new Promise<void>((resolve) => socket.end(notice, resolve));
    await null; // The close_notify is handed to the stream at the end of this turn.
    await transport.stream.written();
    await inner.closeWrite();
    await gone;
  }).finally(() => socket.destroy());
}

async function leave({ transport, clock, error }: RefusedPeer, say: () => Promise<void>): Promise<void> {
  transport.refuse(error);
  const timer = clock.after(LEAVE_TIMEOUT, () => transport.fail(error));
  try {
    // The handshake is not to come to its end: this ends when the transport is closed.
    await Promise.race([say(), transport.secured]);
  } catch {
    // It is gone, or this took too long: nobody is left to be told.
  } finally {
    timer.cancel();
    transport.fail(error);
  }
}

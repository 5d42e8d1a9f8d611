/** The interface between a passage and what connects it to a backend. @module */
import type { Connection } from "../../socket/connection.ts";
import type { Address } from "../../socket/network.ts";

/** Receives a connection to a backend: one call, now or later, unless it is canceled. */
export interface UpstreamReceiver {
  /**
   * A backend is connected.
   *
   * @param release To be called once, after the connection has ended.
   */
  connected(backend: Connection<Uint8Array>, release?: () => void): void;
  /** No backend can be reached, for a `ConnectError`; any other error is a mistake of this program. */
  notConnected(error: unknown): void;
}

/** An attempt to connect to a backend. */
export interface PendingUpstream {
  /** Gives up, because the client has gone: the receiver is not called anymore. */
  cancel(): void;
}

/** Connects to a backend for the client at `source`. */
export type OpenUpstream = (source: Address, receiver: UpstreamReceiver) => PendingUpstream;

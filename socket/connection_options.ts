/** What a connection is told, and what it tells. @module */
import type { Codec } from "./codecs/codec.ts";
import type { Connection } from "./connection.ts";
import type { CloseReason } from "./errors.ts";
import type { Clock } from "../internal/clock.ts";
import type { QueuedBytes } from "./writer.ts";

/** What a `Connection` needs besides its socket. */
export interface ConnectionOptions<Frame> {
  codec: Codec<Frame>;
  clock: Clock;
  /** Number to know it by; unique within its listener. Default 0. */
  id?: number;
  /** Bytes that may wait for a peer that does not read; over it the peer is a slow reader and is cut off. Default 1 MiB. */
  writeBuffer?: number;
  /** Waiting bytes over which `send` gives `false`. Default 64 KiB, at most `writeBuffer`. */
  highWater?: number;
  /**
   * Longest silence of the peer in ms before the connection is closed; 0 for no bound. Default 0. Silent is a peer
   * that sends nothing while it is read from, or takes nothing of what is written to it: not one that this side keeps
   * waiting.
   */
  idleTimeout?: number;
  /** Longest time in ms until the first frame of the peer has come; 0 for no bound. Default 0. */
  firstFrameTimeout?: number;
  /** Longest time in ms in which the peer takes nothing of what waits for it; 0 for no bound. Default 0. */
  writeTimeout?: number;
  /** Longest time in ms that `end` waits for the peer to take the rest and to finish. Default 10,000. */
  drainTimeout?: number;
  /** Makes the frame that tells the peer why this side ends the connection. Default: it is told nothing. */
  farewell?: (reason: CloseReason) => Frame | undefined;
  /** Called once when it has ended, right after, and before `closed` is heard. */
  onClosed?: ((connection: Connection<Frame>, reason: CloseReason) => void) | undefined;
  /** Where the waiting bytes of many connections are added up. */
  total?: QueuedBytes;
}

/** What has gone through a connection so far. */
export interface ConnectionStats {
  /** When it opened, on its clock, ms. */
  readonly openedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** Bytes given to `send` that the socket has not taken; after the end, those it never took. */
  readonly queuedBytes: number;
}

/** Options and counters of a connection. @module */
import type { Codec } from "./codecs/codec.ts";
import type { Connection } from "./connection.ts";
import type { CloseReason } from "./errors.ts";
import type { Clock } from "../internal/clock.ts";
import type { QueuedBytes } from "./writer.ts";

/** Options for `Connection`. */
export interface ConnectionOptions<Frame> {
  /** The codec that makes frames of bytes. */
  codec: Codec<Frame>;
  /** The clock for timeouts. */
  clock: Clock;
  /** The number of the connection, unique within its listener. Default 0. */
  id?: number;
  /** Maximum pending bytes for a peer that does not read. Beyond it, the peer is closed as a slow reader. Default 1 MiB. */
  writeBuffer?: number;
  /** Pending bytes above which `send` returns `false`. Default 64 KiB, at most `writeBuffer`. */
  highWater?: number;
  /**
   * Maximum silence of the peer in ms before the connection is closed; 0 for no limit. Default 0. A peer is silent if it
   * sends nothing while this side reads, or accepts nothing while this side writes. Time in which this side does not
   * read does not count.
   */
  idleTimeout?: number;
  /** Maximum time in ms until the first frame arrives; 0 for no limit. Default 0. */
  firstFrameTimeout?: number;
  /** Maximum time in ms in which the peer accepts none of the pending bytes; 0 for no limit. Default 0. */
  writeTimeout?: number;
  /** Maximum time in ms that `close` waits for the peer to accept the pending bytes and to finish. Default 10,000. */
  drainTimeout?: number;
  /** Returns the last frame for a peer that is closed because of a timeout, a missing token, or an operator. Default: none. */
  farewell?: (reason: CloseReason) => Frame | undefined;
  /** Called once after the connection has ended, before `closed` resolves. */
  onClosed?: ((connection: Connection<Frame>, reason: CloseReason) => void) | undefined;
  /** Sum of the pending bytes of many connections. */
  total?: QueuedBytes;
}

/** Counters of a connection. */
export interface ConnectionStats {
  /** The time at which it opened, in ms of its clock. */
  readonly openedAt: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes that the socket has accepted. */
  readonly bytesOut: number;
  /** Frames decoded. */
  readonly framesIn: number;
  /** Frames passed to `send`. */
  readonly framesOut: number;
  /** Bytes passed to `send` that the socket has not accepted. */
  readonly queuedBytes: number;
}

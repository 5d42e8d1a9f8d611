/** Options and counters of a connection. @module */
import type { Codec } from "../codecs/codec.ts";
import type { Connection } from "../connection.ts";
import type { CloseReason } from "../errors.ts";
import type { Clock } from "../../internal/clock.ts";
import type { QueuedBytes } from "./writer.ts";

/** Limits of a connection. */
export interface ConnectionLimits {
  /** Maximum pending bytes for a peer that does not read. Beyond it, the peer is closed as a slow reader. Default 1 MiB. */
  writeBuffer?: number;
  /** Pending bytes above which `send` returns `false`. Default 64 KiB, at most `writeBuffer`. */
  highWater?: number;
}

/** Limits of a connection that exchanges lines. */
export interface LineLimits extends ConnectionLimits {
  /** Maximum length of a received line in bytes, without its line end. Default 64 KiB. */
  maxLine?: number;
}

/** Timeouts of a connection, in ms. */
export interface ConnectionTimeouts {
  /**
   * Maximum silence of the peer; 0 disables. Default 0. A peer is silent if it sends nothing while this side reads, or
   * accepts nothing while this side writes. Time in which this side does not read does not count.
   */
  idle?: number;
  /** Maximum time until the first frame arrives; 0 disables. Default 0. */
  firstFrame?: number;
  /** Maximum time in which the peer accepts none of the pending bytes; 0 disables. Default 0. */
  write?: number;
  /** Maximum time that `close` waits for the peer to accept the pending bytes and to finish. Default 10,000. */
  drain?: number;
}

/** Options for `Connection`. */
export interface ConnectionOptions<Frame> {
  /** The codec that makes frames of bytes. */
  codec: Codec<Frame>;
  /** The clock for timeouts. */
  clock: Clock;
  /** Limits of the connection. */
  limits?: ConnectionLimits;
  /** Longest waits for the peer. */
  timeouts?: ConnectionTimeouts;
  /**
   * Returns the last frame for a peer, or `undefined` for none, when `close` gets a reason other than `natural`. If it
   * throws, the connection is aborted as `handler-failed`, and a listener's `onError` receives the error. Default: none, so
   * that the peer sees only the end, even after a framing error or a timeout. For lines, use `describeToPeer`.
   */
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

/** Settings that the connections of a listener share. @module */
import type { Clock } from "../../internal/clock.ts";
import type { Codec } from "../codecs/codec.ts";
import type { ConnectionOptions } from "./options.ts";
import { type FairScheduler, fairSchedulerOf } from "./fairness.ts";
import { batcherOf, type WriteBatcher } from "./write_batcher.ts";
import type { PeerTimeouts } from "./timeouts.ts";
import type { QueuedBytes } from "./writer.ts";

const WRITE_BUFFER = 1024 * 1024;
const HIGH_WATER = 64 * 1024;
/** Default of `timeouts.drain`, in ms. */
export const DRAIN_TIMEOUT = 10_000;
// For connections without a timeout: their times are never read, and reading the clock costs.
const UNTIMED = () => 0;

/**
 * The options of a connection with their defaults. A listener makes one for all its connections, each of which would hold
 * two objects of them otherwise: with thousands of busy connections, memory that is touched is what a message costs.
 */
export class ConnectionSettings<Frame> {
  readonly codec: Codec<Frame>;
  readonly clock: Clock;
  /** Returns the time in ms, or 0 if no timeout needs it. */
  readonly now: () => number;
  /** Pauses readers that have had their share. */
  readonly fairness: FairScheduler;
  readonly batcher: WriteBatcher;
  /** Pending bytes above which the peer is a slow reader. */
  readonly writeBuffer: number;
  /** Pending bytes above which `send` returns `false`. */
  readonly highWater: number;
  /** The sum that includes the pending bytes of these connections. */
  readonly total: QueuedBytes;
  readonly drainTimeout: number;
  /** Undefined if no time is limited. */
  readonly timeouts: PeerTimeouts | undefined;
  readonly farewell: ConnectionOptions<Frame>["farewell"];
  readonly onClosed: ConnectionOptions<Frame>["onClosed"];

  constructor(options: ConnectionOptions<Frame>) {
    const { codec, clock, limits = {}, timeouts = {} } = options;
    const { writeBuffer = WRITE_BUFFER, highWater = HIGH_WATER } = limits;
    const { idle = 0, firstFrame = 0, write = 0 } = timeouts;
    const timed = idle + firstFrame + write > 0;
    this.codec = codec;
    this.clock = clock;
    this.now = timed ? () => clock.now() : UNTIMED;
    this.fairness = fairSchedulerOf(clock);
    this.batcher = batcherOf(clock);
    this.writeBuffer = writeBuffer;
    this.highWater = Math.min(highWater, writeBuffer);
    this.total = options.total ?? { queuedBytes: 0 };
    this.drainTimeout = timeouts.drain ?? DRAIN_TIMEOUT;
    this.timeouts = timed ? { idle, firstFrame, write } : undefined;
    this.farewell = options.farewell;
    this.onClosed = options.onClosed;
  }
}

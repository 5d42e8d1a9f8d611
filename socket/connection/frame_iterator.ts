/** Consumers of a `Reader`: pull iterators, and a callback. @module */
import type { Line } from "../codecs/line.ts";
import type { FramingError } from "../errors.ts";

/** A consumer that waits for frames. */
export interface FrameConsumer {
  /** Takes the frames that are available. Returns whether it waits for more. */
  more(): boolean;
  /** Reports that no more frames will come. */
  end(error: FramingError | undefined): void;
}

/** Takes the frames of each read by a call. An object of this kind costs a connection no promise and no closure. */
export interface FrameSink<Frame> {
  /** Whether `take` keeps no frame, so that frames may refer to memory that all connections share. Default `false`. */
  readonly keepsNothing?: boolean;
  /**
   * Takes the frames of a read. After `false`, nothing is read until {@linkcode Connection.feedOn}. An error that it throws
   * ends the reading.
   */
  take(frames: readonly Frame[]): boolean | void;
  /**
   * Takes each line as bytes, good until it returns. Optional: if it is there and the codec can, in place of `take` for all but
   * large reads.
   */
  takeLine?(line: Line): void;
  /** Called after the lines of a read. Its result and its errors have the meaning that those of `take` have. */
  linesTaken?(): boolean | void;
  /** Called once when no more frames will come: with a framing error, or with what `take` threw. */
  ended(error?: unknown): void;
}

/** Options for {@linkcode FrameIterator}. */
export interface FrameSource<Item> {
  /** Takes the next item; called only while frames are available. */
  take(): Item;
  /**
   * Registers a consumer.
   *
   * @throws {TypeError} If another consumer waits.
   */
  wait(consumer: FrameConsumer): void;
}

/**
 * An iterator that makes one promise per turn, and no closure. An async generator makes three promises per turn, and it
 * drops the remaining frames when its loop is left early. This iterator has no `return`, so a later loop goes on.
 */
export class FrameIterator<Item> implements AsyncIterableIterator<Item>, FrameConsumer {
  readonly #source: FrameSource<Item>;
  #resolve: ((result: IteratorResult<Item>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(source: FrameSource<Item>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item>> {
    return new Promise(this.#wait);
  }

  more(): boolean {
    this.#resolve!({ done: false, value: this.#source.take() });
    return false;
  }

  end(error: FramingError | undefined): void {
    if (error === undefined) this.#resolve!({ done: true, value: undefined });
    else this.#reject!(error);
  }

  // Made once per iterator. The source calls `more` or `end` as soon as it can, so both functions must be set before.
  readonly #wait = (
    resolve: (result: IteratorResult<Item>) => void,
    reject: (error: unknown) => void,
  ): void => {
    const [lastResolve, lastReject] = [this.#resolve, this.#reject];
    this.#resolve = resolve;
    this.#reject = reject;
    try {
      this.#source.wait(this);
    } catch (error) {
      // The earlier `next` still waits.
      this.#resolve = lastResolve;
      this.#reject = lastReject;
      reject(error);
    }
  };
}

/** Passes frames to a callback, and settles a promise when no more will come. */
export class FrameCallback<Frame> implements FrameSink<Frame> {
  readonly take: (frames: readonly Frame[]) => void;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    take: (frames: readonly Frame[]) => void,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.take = take;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  ended(error?: unknown): void {
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }
}

/** The handlers of a session for frames that arrive unasked. Pure. @module */
import { type Expectation, matches, RETURNED } from "../expectation.ts";

/** Handles a frame. */
export type FrameHandler<Frame> = (frame: Frame) => void | Promise<void>;

/** Handlers in the order in which they were added. */
export class FrameHandlers<Frame> {
  readonly #all: { readonly match: Expectation<Frame>; readonly handle: FrameHandler<Frame> }[] = [];
  readonly #onError: (error: unknown) => void;

  /** @param onError Receives errors that handlers throw, and wrong results of predicates. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Whether there are none. */
  get empty(): boolean {
    return this.#all.length === 0;
  }

  add(match: Expectation<Frame>, handle: FrameHandler<Frame>): void {
    this.#all.push({ match, handle });
  }

  /** Returns the first handler that a frame matches. */
  find(frame: Frame): FrameHandler<Frame> | undefined {
    for (let place = 0; place < this.#all.length; place++) {
      const { match, handle } = this.#all[place]!;
      const outcome = matches(match, frame);
      if (outcome === true) return handle;
      if (typeof outcome === "string" && outcome.startsWith(RETURNED)) {
        this.#onError(new TypeError(`Cannot choose a handler of t.on: ${outcome}`));
      }
    }
    return undefined;
  }

  /** Calls a handler. */
  call(handle: FrameHandler<Frame>, frame: Frame): void {
    try {
      const handled = handle(frame);
      if (handled instanceof Promise) handled.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }
}

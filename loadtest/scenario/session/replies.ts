/** Finds the request that each frame of a session answers, and everything else that a frame can be. Pure. @module */
import { describeFrame, type Expectation, isTruncated, matches } from "../expectation.ts";
import type { AskError } from "../errors.ts";
import type { Batch, CorrelationKey } from "./batch.ts";
import { type FrameHandler, FrameHandlers } from "./frame_handlers.ts";
import type { HubSession, SessionHub } from "./hub.ts";
import { Ask, type PendingAsks } from "./pending_asks.ts";
import type { SessionRecorder } from "./recorder.ts";
import { ReplyMemory } from "./reply_memory.ts";
import { describeOwner, gotInstead, strayFrame } from "./texts.ts";

/** Options for {@linkcode Replies}. */
export interface RepliesOptions<Frame> {
  readonly session: HubSession<Frame>;
  readonly hub: SessionHub<Frame>;
  readonly pending: PendingAsks<Frame>;
  readonly recorder: SessionRecorder<Frame>;
  readonly correlate: ((frame: Frame) => CorrelationKey | undefined) | undefined;
  /** Settles a request that got another reply. */
  readonly fail: (ask: Ask<Frame>, result: AskError["result"], detail: string, at: number) => void;
  /** Receives what a handler of `on`, or `correlate`, throws. */
  readonly onError: (error: unknown) => void;
}

/** The frames that arrive on one connection. */
export class Replies<Frame> {
  readonly #options: RepliesOptions<Frame>;
  readonly #pending: PendingAsks<Frame>;
  readonly #recorder: SessionRecorder<Frame>;
  readonly #handlers: FrameHandlers<Frame>;
  readonly #memory: ReplyMemory<Frame>;

  constructor(options: RepliesOptions<Frame>) {
    this.#options = options;
    this.#pending = options.pending;
    this.#recorder = options.recorder;
    this.#handlers = new FrameHandlers(options.onError);
    this.#memory = new ReplyMemory({ keyed: options.correlate !== undefined });
  }

  /** Adds a handler for frames that arrive unasked. */
  on(match: Expectation<Frame>, handle: FrameHandler<Frame>): void {
    this.#handlers.add(match, handle);
  }

  /** Takes the frames of one read, which arrived `at`, in ms from the start of the run. */
  take(frames: readonly Frame[], at: number): void {
    const { correlate, onError } = this.#options;
    for (let taken = 0; taken < frames.length;) {
      const inOrder = correlate === undefined ? this.#takeInOrder(frames, taken, at) : 0;
      taken += inOrder;
      if (inOrder > 0) continue;
      try {
        this.#takeOne(frames[taken++]!, at);
      } catch (error) {
        onError(error); // `correlate` threw.
      }
    }
    this.#recorder.flush();
  }

  /** Remembers a request that timed out, whose reply may still arrive. */
  expired(ask: Ask<Frame>): void {
    this.#memory.expired(ask);
  }

  /**
   * Takes the frames from `from` on that answer the oldest requests of one batch, as most do, and the first one that does
   * not. Returns the number of frames that it took.
   */
  #takeInOrder(frames: readonly Frame[], from: number, at: number): number {
    const batch = this.#pending.oldest;
    if (batch === undefined) return 0;
    const first = batch.next;
    const most = Math.min(batch.inOrder, frames.length - from);
    let count = 0;
    let outcome: boolean | string = true;
    // An expectation may add a handler.
    while (count < most && this.#handlers.empty) {
      outcome = matches(batch.expectationOf(first + count), frames[from + count]!, first + count);
      if (outcome !== true) break;
      count++;
    }
    if (count > 0) {
      this.#pending.removeOldest(count);
      this.#memory.answered(frames[from + count - 1]!);
      for (let index = first; index < first + count; index++) this.#recorder.answered(batch, index, at);
      batch.answeredInOrder(count, frames, from);
    }
    if (outcome === true) return count;
    this.#takeOther(frames[from + count]!, batch, { outcome, at });
    return count + 1;
  }

  #takeOne(frame: Frame, at: number): void {
    const handle = this.#handlers.find(frame);
    if (handle !== undefined) return this.#handle(frame, handle, at);
    const { correlate } = this.#options;
    if (correlate !== undefined) return this.#takeKeyed(frame, correlate(frame), at);
    const batch = this.#pending.oldest;
    if (batch === undefined) return this.#stray(frame, at);
    const index = batch.next;
    const outcome = matches(batch.expectationOf(index), frame, index);
    if (outcome === true) this.#answer(batch, index, { reply: frame, at });
    else this.#takeOther(frame, batch, { outcome, at });
  }

  /** Takes a frame that the oldest request does not expect. */
  #takeOther(
    frame: Frame,
    batch: Batch<Frame>,
    { outcome, at }: { readonly outcome: boolean | string; readonly at: number },
  ): void {
    const index = batch.next;
    const other = this.#pending.findLater(frame);
    if (other !== undefined) return this.#answer(other.batch, other.index, { reply: frame, at });
    const stray = this.#memory.isRepeated(frame) || this.#memory.lateFor(frame) !== undefined;
    if (stray) return this.#stray(frame, at);
    this.#mismatch(new Ask(batch, index), frame, { outcome, at });
  }

  #takeKeyed(frame: Frame, key: CorrelationKey | undefined, at: number): void {
    const ask = key === undefined ? undefined : this.#pending.get(key);
    if (ask === undefined) return this.#stray(frame, at, key);
    const { batch, index } = ask;
    const outcome = matches(batch.expectationOf(index), frame, index);
    if (outcome === true) this.#answer(batch, index, { reply: frame, at });
    else this.#mismatch(ask, frame, { outcome, at });
  }

  #handle(frame: Frame, handle: FrameHandler<Frame>, at: number): void {
    const text = describeFrame(frame);
    this.#recorder.record({
      event: "frame",
      client: this.#options.session.client,
      at,
      kind: "handled",
      text,
    });
    this.#handlers.call(handle, frame);
  }

  #answer(batch: Batch<Frame>, index: number, { reply, at }: { reply: Frame; at: number }): void {
    this.#settle(batch, index);
    this.#memory.answered(reply);
    this.#recorder.answered(batch, index, at);
    batch.answered(index, reply);
  }

  #mismatch(ask: Ask<Frame>, reply: Frame, { outcome, at }: { outcome: boolean | string; at: number }): void {
    const { hub, session, fail } = this.#options;
    this.#settle(ask.batch, ask.index);
    const got = gotInstead(ask.expected, reply, outcome);
    const owner = hub.ownerOf(reply, session);
    hub.gotAnotherReply(session.client, ask);
    if (owner !== undefined) fail(ask, "foreign", `${got}, ${describeOwner(owner)}`, at);
    else fail(ask, isTruncated(ask.expected, reply) ? "truncated" : "wrong", got, at);
  }

  #settle(batch: Batch<Frame>, index: number): void {
    this.#pending.remove(batch, index);
    this.#memory.settled(batch.keys?.[index]);
  }

  /** A frame that no pending request is for. */
  #stray(frame: Frame, at: number, key?: CorrelationKey): void {
    const { hub, session } = this.#options;
    const { client } = session;
    if (this.#memory.isRepeated(frame, key)) {
      return this.#recorder.record({
        event: "frame",
        client,
        at,
        kind: "duplicate",
        text: describeFrame(frame),
      });
    }
    const late = this.#memory.lateFor(frame, key);
    const owner = late === undefined ? hub.ownerOf(frame, session) : undefined;
    this.#recorder.record({
      event: "frame",
      client,
      at,
      kind: "unexpected",
      text: strayFrame(frame, late, owner),
    });
  }
}

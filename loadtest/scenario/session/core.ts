/** One connection of a scenario: its requests, the replies that belong to them, and everything else that arrives. @module */
import { describeFrame, type Expectation, isTruncated, matches } from "../expectation.ts";
import { type AskError, SessionStoppedError, UnsentError } from "../errors.ts";
import { Batch, type CorrelationKey } from "./batch.ts";
import type { RequestOptions, SessionCoreOptions } from "./core_options.ts";
import { Deadline } from "./deadline.ts";
import { type FrameHandler, FrameHandlers } from "./frame_handlers.ts";
import { type FrameSender, sendFrame, sendFrames } from "./frame_sender.ts";
import { Ask, PendingAsks } from "./pending_asks.ts";
import { ReplyMemory } from "./reply_memory.ts";
import {
  describeOwner,
  endedBefore,
  endedInside,
  gotInstead,
  noReplyInTime,
  notSent,
  refusedFrame,
  strayFrame,
} from "./texts.ts";
import { ThinkTimes } from "./think_times.ts";

/** Requests and replies of one connection. */
export class SessionCore<Frame> {
  readonly client: number;
  readonly #options: SessionCoreOptions<Frame>;
  readonly #pending: PendingAsks<Frame>;
  readonly #handlers: FrameHandlers<Frame>;
  readonly #memory: ReplyMemory<Frame>;
  readonly #thinking: ThinkTimes;
  readonly #deadline: Deadline;
  #connection: FrameSender<Frame> | undefined;
  #asks = 0;
  #ended: string | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: SessionCoreOptions<Frame>) {
    this.#options = options;
    this.client = options.client;
    const keyed = options.correlate !== undefined;
    this.#pending = new PendingAsks({ keyed });
    this.#memory = new ReplyMemory({ keyed });
    this.#handlers = new FrameHandlers(options.onError);
    this.#thinking = new ThinkTimes(options.clock);
    this.#deadline = new Deadline(options.clock, () => this.#expire());
  }

  /** ms since the run started. */
  now(): number {
    return this.#options.hub.now();
  }

  /** Requests without a reply. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whether nothing more can be sent. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** The step that the session waits for, for a finding. */
  get waitingFor(): string {
    const ask = this.#pending.first;
    if (ask !== undefined) return `waiting for the reply to ${ask.step}`;
    return this.#thinking.active ? "in a think time" : "in its own code";
  }

  opened(connection: FrameSender<Frame>): void {
    this.#connection = connection;
    this.#options.hub.add(this);
  }

  /** Sends a request that was due at `due`. */
  ask(frame: Frame, due: number, options: RequestOptions<Frame>): Promise<Frame> {
    return this.#ask([frame], due, { options, single: true }) as Promise<Frame>;
  }

  /** Sends requests that were due at `due` in one write. */
  askAll(frames: readonly Frame[], due: number, options: RequestOptions<Frame>): Promise<Frame[]> {
    // The scenario may use its array again.
    return this.#ask(frames.slice(), due, { options, single: false }) as Promise<Frame[]>;
  }

  #ask(
    frames: readonly Frame[],
    due: number,
    { options, single }: { readonly options: RequestOptions<Frame>; readonly single: boolean },
  ): Promise<Frame | Frame[]> {
    const { hub, timeout, correlate } = this.#options;
    if (this.#stopped) return rejected(new SessionStoppedError());
    const { steps } = hub;
    const sent = hub.turnTime();
    const batch = new Batch<Frame>({
      frames,
      number: this.#asks,
      steps: options.name !== undefined
        ? steps.named(options.name)
        : single
        ? steps.of(frames[0])
        : steps.ofEach(frames),
      due: Math.min(due, sent),
      sent,
      deadline: sent + (options.timeout ?? timeout),
      expect: options.expect,
      expectEach: options.expectEach,
      keys: correlate && frames.map((frame) => correlate(frame)),
      single,
    });
    if (this.#ended === undefined) this.#sendAll(batch, single);
    else this.#failUnsent(batch, this.#ended);
    this.#asks += batch.size;
    return batch.promise;
  }

  /** Sends the frames of a batch. If the connection cannot carry one, only those before it are requests. */
  #sendAll(batch: Batch<Frame>, single: boolean): void {
    const { size } = batch;
    this.#pending.add(batch);
    const { sent, error } = sendFrames(this.#open, batch.frames);
    if (sent < size) {
      this.#pending.cut(batch, sent);
      if (single) throw error;
      const refused = refusedFrame(sent, size, error);
      if (sent === 0) throw refused;
      batch.cut(sent, refused);
    }
    this.#deadline.watch(batch.deadline, batch.sent);
  }

  #failUnsent(batch: Batch<Frame>, ended: string): void {
    for (let index = 0; index < batch.size; index++) {
      this.#fail(new Ask(batch, index), "lost", notSent(batch.frames[index], ended), batch.sent);
    }
  }

  /** Sends a frame that expects no reply. */
  push(frame: Frame): void {
    if (this.#stopped) throw new SessionStoppedError();
    if (this.#ended !== undefined) {
      const step = this.#options.hub.steps.of(frame);
      throw new UnsentError({ step, result: "lost", detail: notSent(frame, this.#ended) });
    }
    sendFrame(this.#open, frame);
    this.#options.record({ event: "push", client: this.client, at: this.now() });
  }

  on(match: Expectation<Frame>, handle: FrameHandler<Frame>): void {
    this.#handlers.add(match, handle);
  }

  /** Waits; resolves with the instant for which the end of the wait was planned. */
  think(ms: number): Promise<number> {
    if (this.#stopped) return rejected(new SessionStoppedError());
    return this.#thinking.wait(ms, this.now() + ms);
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    if (this.#pending.size > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }

  /** Takes the frames of one read. */
  take(frames: readonly Frame[]): void {
    if (this.#stopped) return;
    const at = this.now();
    for (const frame of frames) {
      try {
        this.#takeOne(frame, at);
      } catch (error) {
        this.#options.onError(error); // `correlate` threw.
      }
    }
    if (this.#pending.size === 0) this.#idle?.();
  }

  /** The pending request that this reply belongs to beyond doubt: for another session that received it. */
  expecting(reply: Frame): Ask<Frame> | undefined {
    return this.#pending.ownerOf(reply);
  }

  /** The connection has ended; `why` is for people. An unfinished frame is a truncated reply. */
  end(why: string, unfinished: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#deadline.cancel();
    const at = this.now();
    for (const ask of [...this.#pending]) {
      this.#pending.remove(ask.batch, ask.index);
      const truncated = unfinished && !this.#stopped;
      unfinished = false;
      if (truncated) this.#fail(ask, "truncated", endedInside(ask, why), at);
      else this.#fail(ask, this.#stopped ? "under-way" : "lost", endedBefore(ask, why), at);
    }
    this.#options.hub.delete(this);
    this.#idle?.();
  }

  /** The run is over: nothing more is sent, and everything that waits is rejected. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#thinking.stop();
    this.end("the run is over", false);
  }

  get #open(): FrameSender<Frame> {
    if (this.#connection === undefined) throw new TypeError("Cannot send: the session is not connected");
    return this.#connection;
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
    if (outcome === true) return this.#answer(batch, index, { reply: frame, at });
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
    this.#options.record({ event: "frame", client: this.client, at, kind: "handled", text });
    this.#handlers.call(handle, frame);
  }

  #answer(batch: Batch<Frame>, index: number, { reply, at }: { reply: Frame; at: number }): void {
    const { due, sent } = batch;
    this.#settle(batch, index);
    this.#memory.answered(reply);
    const step = batch.stepOf(index);
    const ask = batch.number + index;
    this.#options.record({ event: "ask", client: this.client, at, ask, step, due, sent });
    this.#options.onAnswered(at - due);
    batch.answered(index, reply);
  }

  #mismatch(ask: Ask<Frame>, reply: Frame, { outcome, at }: { outcome: boolean | string; at: number }): void {
    const { hub } = this.#options;
    this.#settle(ask.batch, ask.index);
    const got = gotInstead(ask.expected, reply, outcome);
    const owner = hub.ownerOf(reply, this);
    hub.gotAnotherReply(this.client, ask);
    if (owner !== undefined) this.#fail(ask, "foreign", `${got}, ${describeOwner(owner)}`, at);
    else this.#fail(ask, isTruncated(ask.expected, reply) ? "truncated" : "wrong", got, at);
  }

  #settle(batch: Batch<Frame>, index: number): void {
    this.#pending.remove(batch, index);
    this.#memory.settled(batch.keys?.[index]);
  }

  /** A frame that no pending request is for. */
  #stray(frame: Frame, at: number, key?: CorrelationKey): void {
    const { hub, record } = this.#options;
    const { client } = this;
    if (this.#memory.isRepeated(frame, key)) {
      return record({ event: "frame", client, at, kind: "duplicate", text: describeFrame(frame) });
    }
    const late = this.#memory.lateFor(frame, key);
    const owner = late === undefined ? hub.ownerOf(frame, this) : undefined;
    record({ event: "frame", client, at, kind: "unexpected", text: strayFrame(frame, late, owner) });
  }

  #fail(ask: Ask<Frame>, result: AskError["result"], detail: string, at: number): void {
    const { batch, index, number, step } = ask;
    const { due, sent } = batch;
    const { client } = this;
    this.#options.record({ event: "ask", client, at, ask: number, step, due, sent, result, detail });
    batch.failed(index, result, detail, this.#stopped ? new SessionStoppedError() : undefined);
  }

  #expire(): void {
    const now = this.now();
    const { late, next } = this.#pending.late(now);
    for (const ask of late) {
      this.#pending.remove(ask.batch, ask.index);
      this.#memory.expired(ask);
      this.#fail(ask, "lost", noReplyInTime(ask), now);
    }
    this.#deadline.watch(next, now);
    if (this.#pending.size === 0) this.#idle?.();
  }
}

/** A rejected promise that a scenario need not await. */
function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

/** One connection of a scenario: its requests, their deadlines, and their end. @module */
import type { Expectation } from "../expectation.ts";
import { type AskError, SessionStoppedError, UnsentError } from "../errors.ts";
import { Batch } from "./batch.ts";
import type { RequestOptions, SessionCoreOptions } from "./core_options.ts";
import { Deadline } from "./deadline.ts";
import type { FrameHandler } from "./frame_handlers.ts";
import { type FrameSender, sendFrame, sendFrames } from "./frame_sender.ts";
import { Ask, PendingAsks } from "./pending_asks.ts";
import { SessionRecorder } from "./recorder.ts";
import { Replies } from "./replies.ts";
import {
  endedBefore,
  endedInside,
  IN_OWN_CODE,
  noReplyInTime,
  notSent,
  refusedFrame,
  THINKING,
} from "./texts.ts";
import { ThinkTimes } from "./think_times.ts";

/** Bytes that wait to be written, above which the next message of a closed model waits for them. */
const MOST_QUEUED = 64 * 1024;
/** Messages of a closed model in one turn of the event loop. */
const MOST_IN_TURN = 1000;

/** Requests and replies of one connection. */
export class SessionCore<Frame> {
  readonly client: number;
  readonly #options: SessionCoreOptions<Frame>;
  readonly #pending: PendingAsks<Frame>;
  readonly #replies: Replies<Frame>;
  readonly #recorder: SessionRecorder<Frame>;
  readonly #thinking: ThinkTimes;
  readonly #deadline: Deadline;
  #connection: FrameSender<Frame> | undefined;
  #asks = 0;
  #ended: string | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;
  /** The turn of the event loop in which messages were counted, and their number. */
  #turn = 0;
  #inTurn = 0;

  constructor(options: SessionCoreOptions<Frame>) {
    this.#options = options;
    this.client = options.client;
    const { hub, correlate, onError } = options;
    this.#pending = new PendingAsks({ keyed: correlate !== undefined });
    this.#recorder = new SessionRecorder(options);
    this.#replies = new Replies({
      session: this,
      hub,
      pending: this.#pending,
      recorder: this.#recorder,
      correlate,
      fail: (...failure) => this.#fail(...failure),
      onError,
    });
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
    return this.#thinking.active ? THINKING : IN_OWN_CODE;
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
    this.#recorder.record({ event: "push", client: this.client, at: this.now() });
  }

  on(match: Expectation<Frame>, handle: FrameHandler<Frame>): void {
    this.#replies.on(match, handle);
  }

  /** Waits; resolves with the instant for which the end of the wait was planned. */
  think(ms: number): Promise<number> {
    if (this.#stopped) return rejected(new SessionStoppedError());
    return this.#thinking.wait(ms, this.now() + ms);
  }

  /**
   * Returns what the next message of a closed model must wait for: nothing, as long as messages wait for their replies. Those
   * that only send would fill the memory, and keep every other client from its turn.
   */
  mustWait(): Promise<void> | undefined {
    if (this.#ended !== undefined) return undefined;
    const { hub, clock } = this.#options;
    // The end of the connection is a matter of its reader.
    if (this.#open.queuedBytes > MOST_QUEUED) return this.#open.flushed().catch(() => {});
    const { turn } = hub;
    if (turn !== this.#turn) this.#inTurn = 0;
    this.#turn = turn;
    if (++this.#inTurn < MOST_IN_TURN) return undefined;
    return new Promise((resolve) => clock.after(1, resolve));
  }

  /** Resolves when no request is in flight. */
  async idle(): Promise<void> {
    if (this.#pending.size > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }

  /** Takes the frames of one read. */
  take(frames: readonly Frame[]): void {
    if (this.#stopped) return;
    this.#replies.take(frames, this.now());
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

  #fail(ask: Ask<Frame>, result: AskError["result"], detail: string, at: number): void {
    const { batch, index, number, step } = ask;
    const { due, sent } = batch;
    const { client } = this;
    this.#recorder.record({ event: "ask", client, at, ask: number, step, due, sent, result, detail });
    batch.failed(index, result, detail, this.#stopped ? new SessionStoppedError() : undefined);
  }

  #expire(): void {
    const now = this.now();
    const { late, next } = this.#pending.late(now);
    for (const ask of late) {
      this.#pending.remove(ask.batch, ask.index);
      this.#replies.expired(ask);
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

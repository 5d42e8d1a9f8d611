/** One connection of a scenario: its requests, the replies that belong to them, and everything else that arrives. @module */
import type { Clock, Timer } from "../../../internal/clock.ts";
import type { ScenarioEvent } from "../events.ts";
import { describeFrame, type Expectation, isTruncated, matches } from "../expectation.ts";
import { AskError, SessionStoppedError } from "../errors.ts";
import { type FrameSender, sendFrame } from "./frame_sender.ts";
import { Ask, belongs, type CorrelationKey, PendingAsks } from "./pending_asks.ts";
import { ReplyMemory } from "./reply_memory.ts";
import type { SessionHub } from "./hub.ts";
import {
  describeOwner,
  endedBefore,
  endedInside,
  gotInstead,
  noReplyInTime,
  notSent,
  strayFrame,
} from "./texts.ts";
import { ThinkTimes } from "./think_times.ts";

/** Options for {@linkcode SessionCore}. */
export interface SessionCoreOptions<Frame> {
  readonly client: number;
  readonly clock: Clock;
  readonly hub: SessionHub<Frame>;
  readonly record: (event: ScenarioEvent) => void;
  /** Default timeout of a request, in ms. */
  readonly timeout: number;
  readonly correlate?: ((frame: Frame) => CorrelationKey | undefined) | undefined;
  /** Receives the time from due to reply of each request that is answered as expected. */
  readonly onAnswered: (ms: number) => void;
  /** Receives what a handler of `on` throws. */
  readonly onError: (error: unknown) => void;
}

/** Requests and replies of one connection. */
export class SessionCore<Frame> {
  readonly client: number;
  readonly #options: SessionCoreOptions<Frame>;
  readonly #pending: PendingAsks<Frame>;
  readonly #handlers: {
    readonly match: Expectation<Frame>;
    readonly handle: (frame: Frame) => void | Promise<void>;
  }[] = [];
  readonly #memory: ReplyMemory<Frame>;
  readonly #thinking: ThinkTimes;
  #connection: FrameSender<Frame> | undefined;
  #asks = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #ended: string | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: SessionCoreOptions<Frame>) {
    this.#options = options;
    this.client = options.client;
    const keyed = options.correlate !== undefined;
    this.#pending = new PendingAsks({ keyed });
    this.#memory = new ReplyMemory({ keyed });
    this.#thinking = new ThinkTimes(options.clock);
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
  ask(
    frame: Frame,
    due: number,
    options: { readonly expect?: Expectation<Frame>; readonly timeout?: number; readonly name?: string },
  ): Promise<Frame> {
    const { hub, timeout, correlate } = this.#options;
    if (this.#stopped) return rejected(new SessionStoppedError());
    const step = options.name === undefined ? hub.steps.of(frame) : hub.steps.named(options.name);
    const sent = hub.turn();
    const ask = new Ask<Frame>({
      frame,
      number: this.#asks++,
      step,
      due: Math.min(due, sent),
      sent,
      deadline: sent + (options.timeout ?? timeout),
      expected: options.expect,
      key: correlate?.(frame),
    });
    if (this.#ended !== undefined) {
      this.#fail(ask, "lost", notSent(frame, this.#ended), sent);
      return ask.reply;
    }
    this.#pending.add(ask);
    try {
      this.#send(frame);
    } catch (error) {
      this.#pending.remove(ask);
      throw error;
    }
    if (ask.deadline < this.#timerAt) this.#watch(ask.deadline, sent);
    return ask.reply;
  }

  /** Sends a frame that expects no reply. */
  push(frame: Frame): void {
    if (this.#stopped) throw new SessionStoppedError();
    if (this.#ended !== undefined) {
      throw new AskError(
        this.#options.hub.steps.of(frame),
        "lost",
        notSent(frame, this.#ended),
      );
    }
    this.#send(frame);
    this.#options.record({ event: "push", client: this.client, at: this.now() });
  }

  on(match: Expectation<Frame>, handle: (frame: Frame) => void | Promise<void>): void {
    this.#handlers.push({ match, handle });
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
    for (const frame of frames) this.#takeOne(frame, at);
    if (this.#pending.size === 0) this.#idle?.();
  }

  /** The pending request that this reply belongs to beyond doubt: for another session that received it. */
  expecting(reply: Frame): Ask<Frame> | undefined {
    for (const ask of this.#pending) if (belongs(ask, reply)) return ask;
    return undefined;
  }

  /** The connection has ended; `why` is for people. An unfinished frame is a truncated reply. */
  end(why: string, unfinished: boolean): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#timer?.cancel();
    const at = this.now();
    for (const ask of [...this.#pending]) {
      this.#pending.remove(ask);
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

  #send(frame: Frame): void {
    if (this.#connection !== undefined) sendFrame(this.#connection, frame);
  }

  #takeOne(frame: Frame, at: number): void {
    for (const { match, handle } of this.#handlers) {
      if (matches(match, frame) === true) return this.#handle(frame, handle, at);
    }
    const { correlate } = this.#options;
    if (correlate !== undefined) return this.#takeKeyed(frame, correlate(frame), at);
    const first = this.#pending.first;
    if (first === undefined) return this.#stray(frame, at);
    const outcome = matches(first.expected, frame);
    if (outcome === true) return this.#answer(first, frame, at);
    for (const other of this.#pending) {
      if (other !== first && matches(other.expected, frame) === true) return this.#answer(other, frame, at);
    }
    const stray = this.#memory.isRepeated(frame) || this.#memory.lateFor(frame) !== undefined;
    if (stray) return this.#stray(frame, at);
    this.#mismatch(first, frame, { outcome, at });
  }

  #takeKeyed(frame: Frame, key: CorrelationKey | undefined, at: number): void {
    const ask = key === undefined ? undefined : this.#pending.get(key);
    if (ask === undefined) return this.#stray(frame, at, key);
    const outcome = matches(ask.expected, frame);
    if (outcome === true) this.#answer(ask, frame, at);
    else this.#mismatch(ask, frame, { outcome, at });
  }

  #handle(frame: Frame, handle: (frame: Frame) => void | Promise<void>, at: number): void {
    this.#options.record({
      event: "frame",
      client: this.client,
      at,
      kind: "handled",
      text: describeFrame(frame),
    });
    try {
      const handled = handle(frame);
      if (handled instanceof Promise) handled.catch(this.#options.onError);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #answer(ask: Ask<Frame>, reply: Frame, at: number): void {
    this.#settle(ask);
    this.#memory.answered(reply);
    const { number, step, due, sent } = ask;
    this.#options.record({ event: "ask", client: this.client, at, ask: number, step, due, sent });
    this.#options.onAnswered(at - due);
    ask.resolve(reply);
  }

  #mismatch(ask: Ask<Frame>, reply: Frame, { outcome, at }: { outcome: boolean | string; at: number }): void {
    const { hub } = this.#options;
    this.#settle(ask);
    const got = gotInstead(ask.expected, reply, outcome);
    const owner = hub.ownerOf(reply, this);
    hub.misled(this.client, ask);
    if (owner !== undefined) this.#fail(ask, "foreign", `${got}, ${describeOwner(owner)}`, at);
    else this.#fail(ask, isTruncated(ask.expected, reply) ? "truncated" : "wrong", got, at);
  }

  #settle(ask: Ask<Frame>): void {
    this.#pending.remove(ask);
    this.#memory.settled(ask);
  }

  /** A frame that no pending request is for. */
  #stray(frame: Frame, at: number, key?: CorrelationKey): void {
    const { hub, record } = this.#options;
    if (this.#memory.isRepeated(frame, key)) {
      return record({
        event: "frame",
        client: this.client,
        at,
        kind: "duplicate",
        text: describeFrame(frame),
      });
    }
    const late = this.#memory.lateFor(frame, key);
    const owner = late === undefined ? hub.ownerOf(frame, this) : undefined;
    record({
      event: "frame",
      client: this.client,
      at,
      kind: "unexpected",
      text: strayFrame(frame, late, owner),
    });
  }

  #fail(ask: Ask<Frame>, result: AskError["result"], detail: string, at: number): void {
    const { number, step, due, sent } = ask;
    const { client } = this;
    this.#options.record({ event: "ask", client, at, ask: number, step, due, sent, result, detail });
    ask.fail(this.#stopped ? new SessionStoppedError() : new AskError(step, result, detail));
  }

  /** Sets the one timer of this session to the earliest deadline. */
  #watch(deadline: number, now: number): void {
    this.#timer?.cancel();
    this.#timerAt = deadline;
    this.#timer = this.#options.clock.after(deadline - now, () => this.#expire());
  }

  #expire(): void {
    this.#timerAt = Infinity;
    const now = this.now();
    const { late, next } = this.#pending.expire(now);
    for (const ask of late) {
      this.#memory.expired(ask);
      this.#fail(ask, "lost", noReplyInTime(ask), now);
    }
    if (next < Infinity) this.#watch(next, now);
    if (this.#pending.size === 0) this.#idle?.();
  }
}

/** A rejected promise that a scenario need not await. */
function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}

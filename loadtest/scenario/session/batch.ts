/** Requests that are sent together, and settle together. Pure. @module */
import { AskError } from "../errors.ts";
import { describeFrame, type Expectation, type IndexedExpectation } from "../expectation.ts";

/** Identifies a request and its reply on a connection on which replies may arrive in any order. */
export type CorrelationKey = string | number;

/** The reason for which a batch is rejected: its first failed request, in the order of its frames. */
interface Failure {
  readonly index: number;
  readonly result: AskError["result"];
  readonly detail: string;
}

/** Options for {@linkcode Batch}. Times are in ms from the start of the run. */
export interface BatchOptions<Frame> {
  readonly frames: readonly Frame[];
  /** The number of the first request within the session. The others follow. */
  readonly number: number;
  /** The step of all requests, or that of each. */
  readonly steps: string | readonly string[];
  readonly due: number;
  readonly sent: number;
  readonly deadline: number;
  /** The expected reply to all requests. */
  readonly expect: IndexedExpectation<Frame> | undefined;
  /** The expected reply to each request, instead of `expect`. */
  readonly expectEach: readonly (Expectation<Frame> | undefined)[] | undefined;
  /** The id of each request, on a connection that correlates replies. */
  readonly keys: readonly (CorrelationKey | undefined)[] | undefined;
  /** Whether the result is the reply to the only request, instead of an array of replies. */
  readonly single: boolean;
}

/**
 * One request or many, with one promise and one deadline for all of them. A request is an index, and has no object,
 * promise, or timer of its own.
 */
export class Batch<Frame> {
  readonly frames: readonly Frame[];
  readonly number: number;
  readonly due: number;
  readonly sent: number;
  readonly deadline: number;
  readonly keys: readonly (CorrelationKey | undefined)[] | undefined;
  /** The reply, or the replies in the order of the frames. Rejects if a request failed, once all have settled. */
  readonly promise: Promise<Frame | Frame[]>;
  readonly #steps: string | readonly string[];
  readonly #expect: IndexedExpectation<Frame> | undefined;
  readonly #expectEach: readonly (Expectation<Frame> | undefined)[] | undefined;
  readonly #replies: Frame[] | undefined;
  #resolve!: (result: Frame | Frame[]) => void;
  #reject!: (error: Error) => void;
  #size: number;
  #left: number;
  #next = 0;
  /**
   * Where to look for the next pending request: at a pending one its own index, at any other a later index. Created when
   * a request settles before an older one. Paths are shortened as they are followed, as in a disjoint-set forest.
   */
  #skip: Uint32Array | undefined;
  #failure: Failure | undefined;
  #failures = 0;
  #refused: Error | undefined;

  constructor(options: BatchOptions<Frame>) {
    const { frames } = options;
    this.frames = frames;
    this.number = options.number;
    this.due = options.due;
    this.sent = options.sent;
    this.deadline = options.deadline;
    this.keys = options.keys;
    this.#steps = options.steps;
    this.#expect = options.expect;
    this.#expectEach = options.expectEach;
    this.#replies = options.single ? undefined : new Array(frames.length);
    this.#size = this.#left = frames.length;
    // A third of the time of `Promise.withResolvers`, which is much of what a request costs.
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Number of requests. */
  get size(): number {
    return this.#size;
  }

  /** Number of requests that have not settled. */
  get left(): number {
    return this.#left;
  }

  /** The index of the oldest request that has not settled. */
  get next(): number {
    return this.#next;
  }

  /** Returns the expected reply to a request. */
  expectationOf(index: number): IndexedExpectation<Frame> | undefined {
    return this.#expectEach === undefined ? this.#expect : this.#expectEach[index];
  }

  /** Returns the step of a request. */
  stepOf(index: number): string {
    return typeof this.#steps === "string" ? this.#steps : this.#steps[index]!;
  }

  /** Number of requests, from the oldest that has not settled on, before one that has. */
  get inOrder(): number {
    return this.#skip === undefined ? this.#left : 1;
  }

  /** Returns the index of the first request from `index` on that has not settled, or the number of requests. */
  pendingFrom(index: number): number {
    const skip = this.#skip;
    if (skip === undefined) return Math.max(index, this.#next);
    let pending = index;
    while (pending < this.#size && skip[pending] !== pending) pending = skip[pending]!;
    for (let at = index; at < pending;) {
      const next = skip[at]!;
      skip[at] = pending;
      at = next;
    }
    return pending;
  }

  /** Settles a request with its reply. Resolves or rejects the promise after the last one. */
  answered(index: number, reply: Frame): void {
    if (this.#replies !== undefined) this.#replies[index] = reply;
    this.#settle(index);
    if (this.#left === 0) this.#finish(reply);
  }

  /** Settles the oldest `count` requests, at most {@linkcode Batch.inOrder}, with the replies from `from` on. */
  answeredInOrder(count: number, replies: readonly Frame[], from: number): void {
    if (this.#skip !== undefined) return this.answered(this.#next, replies[from]!);
    const index = this.#next;
    if (this.#replies !== undefined) {
      for (let place = 0; place < count; place++) this.#replies[index + place] = replies[from + place]!;
    }
    this.#next += count;
    this.#left -= count;
    if (this.#left === 0) this.#finish(replies[from + count - 1]);
  }

  /** Settles a request without the expected reply. `stopped` replaces the error because the run is over. */
  failed(index: number, result: AskError["result"], detail: string, stopped?: Error): void {
    this.#failures++;
    this.#refused ??= stopped;
    if (this.#failure === undefined || index < this.#failure.index) this.#failure = { index, result, detail };
    this.#settle(index);
    if (this.#left === 0) this.#finish(undefined);
  }

  /** Removes the requests from `size` on, which could not be sent. The promise rejects with `error`. */
  cut(size: number, error: Error): void {
    this.#left -= this.#size - size;
    this.#size = size;
    this.#refused = error;
  }

  #settle(index: number): void {
    this.#left--;
    if (this.#skip === undefined) {
      if (index === this.#next) {
        this.#next++;
        return;
      }
      const next = this.#next;
      this.#skip = new Uint32Array(this.#size).map((_, at) => at < next ? next : at);
    }
    this.#skip[index] = index + 1;
    if (index === this.#next) this.#next = this.pendingFrom(index);
  }

  #finish(reply: Frame | undefined): void {
    if (this.#failure === undefined && this.#refused === undefined) {
      return this.#resolve(this.#replies ?? reply as Frame);
    }
    // A scenario that does not await it must not crash the process: the ledger has the failure.
    this.promise.catch(ignore);
    this.#reject(this.#refused ?? this.#error(this.#failure!));
  }

  #error({ index, result, detail }: Failure): AskError {
    const step = this.stepOf(index);
    if (this.#replies === undefined) return new AskError({ step, result, detail });
    const request = describeFrame(this.frames[index]);
    return new AskError({
      step,
      result,
      detail,
      place: { index, size: this.#size, request, failures: this.#failures },
    });
  }
}

function ignore(): void {}

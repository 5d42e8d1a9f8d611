/** The requests of one session that have no reply yet, in the order in which they were sent. Pure. @module */
import { type Expectation, isExact, matches } from "../expectation.ts";

/** Identifies a request and its reply on a connection on which replies may arrive in any order. */
export type CorrelationKey = string | number;

/** A request without a reply. Times are in ms from the start of the run. */
export class Ask<Frame> {
  readonly frame: Frame;
  readonly number: number;
  readonly step: string;
  readonly due: number;
  readonly sent: number;
  readonly deadline: number;
  readonly expected: Expectation<Frame> | undefined;
  readonly key: CorrelationKey | undefined;
  readonly reply: Promise<Frame>;
  /** Resolves `reply`. */
  resolve!: (reply: Frame) => void;
  #reject!: (error: Error) => void;

  constructor(
    ask: Pick<Ask<Frame>, "frame" | "number" | "step" | "due" | "sent" | "deadline" | "expected" | "key">,
  ) {
    this.frame = ask.frame;
    this.number = ask.number;
    this.step = ask.step;
    this.due = ask.due;
    this.sent = ask.sent;
    this.deadline = ask.deadline;
    this.expected = ask.expected;
    this.key = ask.key;
    // A third of the time of `Promise.withResolvers`, which is much of what a request costs.
    this.reply = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Rejects the reply. A scenario that does not await it must not crash the process: the ledger has the failure. */
  fail(error: Error): void {
    this.reply.catch(ignore);
    this.#reject(error);
  }
}

function ignore(): void {}

/** Whether a reply belongs to a request beyond doubt: the request expects exactly this frame. */
export function belongs<Frame>({ expected }: Pick<Ask<Frame>, "expected">, reply: Frame): boolean {
  return isExact(expected) && matches(expected, reply) === true;
}

/** Requests in order, and by key on a connection that correlates replies. */
export class PendingAsks<Frame> {
  #queue: Ask<Frame>[] = [];
  /** The index of the oldest request; those before it are gone. */
  #head = 0;
  readonly #byKey: Map<CorrelationKey, Ask<Frame>> | undefined;

  /** @param options.keyed Whether every request has a key. Default `false`. */
  constructor({ keyed = false }: { readonly keyed?: boolean } = {}) {
    if (keyed) this.#byKey = new Map();
  }

  get size(): number {
    return this.#byKey === undefined ? this.#queue.length - this.#head : this.#byKey.size;
  }

  /** The oldest request. */
  get first(): Ask<Frame> | undefined {
    return this.#byKey === undefined ? this.#queue[this.#head] : this.#byKey.values().next().value;
  }

  /**
   * Adds a request.
   *
   * @throws {TypeError} If another pending request has the same key.
   */
  add(ask: Ask<Frame>): void {
    if (this.#byKey === undefined) {
      this.#queue.push(ask);
      return;
    }
    if (ask.key === undefined || this.#byKey.has(ask.key)) {
      const why = ask.key === undefined
        ? "correlate() returns no id for it"
        : `id ${ask.key} is already in flight`;
      throw new TypeError(`Cannot correlate request ${ask.number} (${ask.step}): ${why}`);
    }
    this.#byKey.set(ask.key, ask);
  }

  /** The pending request with this key. */
  get(key: CorrelationKey): Ask<Frame> | undefined {
    return this.#byKey?.get(key);
  }

  /** Removes a request. */
  remove(ask: Ask<Frame>): void {
    if (this.#byKey !== undefined) {
      if (ask.key !== undefined) this.#byKey.delete(ask.key);
      return;
    }
    if (this.#queue[this.#head] !== ask) {
      this.#queue.splice(this.#queue.indexOf(ask, this.#head), 1);
      return;
    }
    if (++this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Removes the requests whose deadline has come. Returns them, and the earliest deadline of the others. */
  expire(now: number): { readonly late: readonly Ask<Frame>[]; readonly next: number } {
    const late: Ask<Frame>[] = [];
    let next = Infinity;
    for (const ask of this) {
      if (ask.deadline <= now) late.push(ask);
      else next = Math.min(next, ask.deadline);
    }
    for (const ask of late) this.remove(ask);
    return { late, next };
  }

  /** The requests, oldest first. */
  *[Symbol.iterator](): Generator<Ask<Frame>> {
    if (this.#byKey !== undefined) yield* this.#byKey.values();
    else for (let index = this.#head; index < this.#queue.length; index++) yield this.#queue[index]!;
  }
}

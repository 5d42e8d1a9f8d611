/** The requests of one session that have no reply yet, in the order in which they were sent. Pure. @module */
import { type IndexedExpectation, isExact, matches } from "../expectation.ts";
import type { Batch, CorrelationKey } from "./batch.ts";

/** One request of a batch. */
export class Ask<Frame> {
  readonly batch: Batch<Frame>;
  readonly index: number;

  constructor(batch: Batch<Frame>, index: number) {
    this.batch = batch;
    this.index = index;
  }

  get frame(): Frame {
    return this.batch.frames[this.index]!;
  }

  /** Its number within the session, from 0. */
  get number(): number {
    return this.batch.number + this.index;
  }

  get step(): string {
    return this.batch.stepOf(this.index);
  }

  get expected(): IndexedExpectation<Frame> | undefined {
    return this.batch.expectationOf(this.index);
  }

  get key(): CorrelationKey | undefined {
    return this.batch.keys?.[this.index];
  }
}

/** Whether a reply belongs to a request beyond doubt: the request expects exactly this frame. */
export function belongs<Frame>({ expected }: Pick<Ask<Frame>, "expected">, reply: Frame): boolean {
  return isExact(expected) && matches(expected, reply) === true;
}

/** Requests that a reply is always compared with, if the oldest one expects another. */
const NEAR = 64;
/** Comparisons with later requests in one session: a server that answers 100,000 requests in reverse must not stop the run. */
const FAR_COMPARISONS = 10_000_000;

/** Places of batches that are gone, until the queue is made anew: a new array for each request would take longer. */
const PLACES_KEPT = 16;

/** Requests in order, and by key on a connection that correlates replies. */
export class PendingAsks<Frame> {
  #queue: (Batch<Frame> | undefined)[] = [];
  /** The index of the oldest batch; those before it are gone, and `undefined`. */
  #head = 0;
  #size = 0;
  #far = FAR_COMPARISONS;
  readonly #byKey: Map<CorrelationKey, Ask<Frame>> | undefined;

  /** @param options.keyed Whether every request has a key. Default `false`. */
  constructor({ keyed = false }: { readonly keyed?: boolean } = {}) {
    if (keyed) this.#byKey = new Map();
  }

  /** Number of requests. */
  get size(): number {
    return this.#byKey === undefined ? this.#size : this.#byKey.size;
  }

  /** The oldest request. */
  get first(): Ask<Frame> | undefined {
    if (this.#byKey !== undefined) return this.#byKey.values().next().value;
    const batch = this.oldest;
    return batch && new Ask(batch, batch.next);
  }

  /** The batch of the oldest request, which is its `next`. Only without keys. */
  get oldest(): Batch<Frame> | undefined {
    return this.#queue[this.#head];
  }

  /**
   * Adds the requests of a batch, or none of them.
   *
   * @throws {TypeError} If one has no key, or another pending request has the same.
   */
  add(batch: Batch<Frame>): void {
    if (this.#byKey !== undefined) return this.#addKeyed(batch, this.#byKey);
    this.#queue.push(batch);
    this.#size += batch.size;
  }

  #addKeyed(batch: Batch<Frame>, byKey: Map<CorrelationKey, Ask<Frame>>): void {
    for (let index = 0; index < batch.size; index++) {
      const key = batch.keys?.[index];
      const isKey = typeof key === "string" || typeof key === "number";
      if (!isKey || byKey.has(key)) {
        for (let added = 0; added < index; added++) byKey.delete(batch.keys![added]!);
        const { number, step } = new Ask(batch, index);
        const why = isKey
          ? `id ${key} is already in flight`
          : "correlate() returns no id for it, expected text or a number";
        throw new TypeError(`Cannot correlate request ${number} (${step}): ${why}`);
      }
      byKey.set(key, new Ask(batch, index));
    }
  }

  /** The pending request with this key. */
  get(key: CorrelationKey): Ask<Frame> | undefined {
    return this.#byKey?.get(key);
  }

  /** Returns the oldest request but the first that accepts this reply. Only without keys. */
  findLater(reply: Frame): Ask<Frame> | undefined {
    let compared = 0;
    for (let place = this.#head; place < this.#queue.length; place++) {
      const batch = this.#queue[place]!;
      const from = batch.pendingFrom(place === this.#head ? batch.next + 1 : 0);
      for (let index = from; index < batch.size; index = batch.pendingFrom(index + 1)) {
        if (++compared > NEAR && this.#far-- <= 0) return undefined;
        if (matches(batch.expectationOf(index), reply, index) === true) return new Ask(batch, index);
      }
    }
    return undefined;
  }

  /** Returns the oldest request that this reply belongs to beyond doubt. */
  ownerOf(reply: Frame): Ask<Frame> | undefined {
    for (const ask of this) if (belongs(ask, reply)) return ask;
    return undefined;
  }

  /** Removes a request that settles. The caller settles it in its batch afterward. */
  remove(batch: Batch<Frame>, index: number): void {
    if (this.#byKey !== undefined) {
      const key = batch.keys?.[index];
      if (key !== undefined) this.#byKey.delete(key);
      return;
    }
    this.#size--;
    if (batch.left === 1) this.#removeBatch(batch);
  }

  /** Removes the oldest `count` requests, which are in one batch. The caller settles them afterward. */
  removeOldest(count: number): void {
    const batch = this.oldest;
    if (batch === undefined) return;
    this.#size -= count;
    if (batch.left === count) this.#removeBatch(batch);
  }

  /** Removes the requests of the batch added last that were not sent: those from `size` on. */
  cut(batch: Batch<Frame>, size: number): void {
    if (this.#byKey !== undefined) {
      for (let index = size; index < batch.size; index++) this.#byKey.delete(batch.keys![index]!);
      return;
    }
    this.#size -= batch.size - size;
    if (size === 0) this.#removeBatch(batch);
  }

  #removeBatch(batch: Batch<Frame>): void {
    if (this.#queue[this.#head] !== batch) {
      this.#queue.splice(this.#queue.indexOf(batch, this.#head), 1);
      return;
    }
    this.#queue[this.#head++] = undefined;
    if (this.#head < PLACES_KEPT || this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  /** Returns the requests whose deadline has come, and the earliest deadline of the others. */
  late(now: number): { readonly late: readonly Ask<Frame>[]; readonly next: number } {
    const late: Ask<Frame>[] = [];
    let next = Infinity;
    for (const ask of this) {
      const { deadline } = ask.batch;
      if (deadline <= now) late.push(ask);
      else next = Math.min(next, deadline);
    }
    return { late, next };
  }

  /** The requests, oldest first. */
  *[Symbol.iterator](): Generator<Ask<Frame>> {
    if (this.#byKey !== undefined) return yield* this.#byKey.values();
    for (let place = this.#head; place < this.#queue.length; place++) {
      const batch = this.#queue[place]!;
      for (let index = batch.next; index < batch.size; index = batch.pendingFrom(index + 1)) {
        yield new Ask(batch, index);
      }
    }
  }
}

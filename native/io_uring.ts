/** Linux's io_uring, as far as sends need it: many in one system call. @module */
import { MSG_DONTWAIT, MSG_MORE, MSG_NOSIGNAL } from "./abi.ts";
import { errnoOf } from "./errno.ts";
import type { Libc, SharedWords } from "./libc.ts";
import { errnoError } from "./system_error.ts";

// Numbers and layouts of linux/io_uring.h; positions in structs are in 32-bit words.
const IORING_OP_NOP = 0;
const IORING_OP_SEND = 26;
const IORING_OFF_SQ_RING = 0;
const IORING_OFF_SQES = 0x10000000;
/** Both rings share a mapping: Linux 5.4. */
const IORING_FEAT_SINGLE_MMAP = 1 << 0;
/** Younger than sends, which came with 5.6: Linux 5.7. */
const IORING_FEAT_FAST_POLL = 1 << 5;
const NEEDED = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_FAST_POLL;

/** `struct io_uring_params`, with the offsets of what is in the rings in bytes. */
const PARAMS = {
  words: 30,
  sqEntries: 0,
  cqEntries: 1,
  features: 5,
  sqHead: 10,
  sqTail: 11,
  sqMask: 12,
  sqArray: 16,
  cqHead: 20,
  cqTail: 21,
  cqMask: 22,
  cqEvents: 25,
} as const;
/** `struct io_uring_sqe`: a submission. */
const SQE = { words: 16, opcode: 0, descriptor: 1, address: 4, length: 6, flags: 7, data: 8 } as const;
/** `struct io_uring_cqe`: a completion. */
const CQE = { words: 4, data: 0, result: 2 } as const;

const INTERRUPTED = -errnoOf("EINTR");
const WORD = 4;
const UPPER_HALF = 2 ** 32;

/**
 * A submission queue of sends, and its completions. A send that would have to wait fails with EAGAIN instead, so that none
 * is pending when {@linkcode IoUring.submit} returns, and the kernel uses no memory of the program from then on.
 *
 * The program and the kernel share the rings, but the kernel looks at them only during a call of this thread: they need no
 * memory barriers.
 */
export class IoUring {
  /** Number of sends of one submission at most. */
  readonly capacity: number;
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #rings: SharedWords;
  readonly #submissions: SharedWords;
  /** Positions in the rings, in words. */
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqEvents: number;
  readonly #sqMask: number;
  readonly #cqMask: number;

  private constructor(
    libc: Libc,
    descriptor: number,
    params: Int32Array,
    rings: SharedWords,
    submissions: SharedWords,
  ) {
    this.capacity = params[PARAMS.sqEntries]!;
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#rings = rings;
    this.#submissions = submissions;
    const position = (param: number): number => params[param]! / WORD;
    this.#sqHead = position(PARAMS.sqHead);
    this.#sqTail = position(PARAMS.sqTail);
    this.#cqHead = position(PARAMS.cqHead);
    this.#cqTail = position(PARAMS.cqTail);
    this.#cqEvents = position(PARAMS.cqEvents);
    this.#sqMask = rings[position(PARAMS.sqMask)]!;
    this.#cqMask = rings[position(PARAMS.cqMask)]!;
    // The ring is one of indices of submissions.
    const array = position(PARAMS.sqArray);
    for (let index = 0; index < this.capacity; index++) rings[array + index] = index;
  }

  /**
   * Makes one with room for `capacity` sends, a power of 2. Returns `undefined` if the kernel is older than Linux 5.7, or the
   * system does not allow io_uring, as in most containers.
   */
  static open(libc: Libc, capacity: number): IoUring | undefined {
    const params = new Int32Array(PARAMS.words);
    const descriptor = libc.ioUringSetup(capacity, new Uint8Array(params.buffer));
    if (descriptor < 0) return undefined;
    const rings = (params[PARAMS.features]! & NEEDED) === NEEDED
      ? libc.mapShared(descriptor, IORING_OFF_SQ_RING, ringWords(params))
      : undefined;
    const submissions = rings === undefined
      ? undefined
      : libc.mapShared(descriptor, IORING_OFF_SQES, params[PARAMS.sqEntries]! * SQE.words);
    if (submissions !== undefined) return new this(libc, descriptor, params, rings!, submissions);
    if (rings !== undefined) libc.unmapShared(rings);
    libc.close(descriptor);
    return undefined;
  }

  /**
   * Queues a send as number `index` of the next submission.
   *
   * @param address Where the bytes begin in memory; they must stay there until they are submitted.
   * @param more Whether more bytes or a FIN follow immediately.
   */
  queueSend(index: number, descriptor: number, address: number, length: number, more: boolean): void {
    const words = this.#submissions;
    const at = this.#position(index);
    words[at + SQE.opcode] = IORING_OP_SEND; // The rest of this word is flags and a priority.
    words[at + SQE.descriptor] = descriptor;
    words[at + SQE.address] = address;
    words[at + SQE.address + 1] = address / UPPER_HALF;
    words[at + SQE.length] = length;
    words[at + SQE.flags] = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
    words[at + SQE.data] = index;
  }

  /** Makes nothing of a queued send. */
  cancel(index: number): void {
    const words = this.#submissions;
    const at = this.#position(index);
    words[at + SQE.opcode] = IORING_OP_NOP;
    words[at + SQE.flags] = 0; // It has flags of its own since Linux 6.10, and with others the kernel stops at it.
  }

  /**
   * Makes the first `count` sends, and writes the result of each: how many bytes the socket has taken, or a negated error
   * number. A result stays as it was if the kernel could not begin with the send.
   *
   * @throws {Error} If the kernel does not report the results of what it has begun.
   */
  submit(count: number, results: Int32Array): void {
    const rings = this.#rings;
    rings[this.#sqTail]! += count;
    this.#libc.ioUringEnter(this.#descriptor, count, count);
    const left = rings[this.#sqTail]! - rings[this.#sqHead]! | 0;
    rings[this.#sqTail]! -= left; // The kernel lacks memory for them.
    const head = rings[this.#cqHead]!;
    const end = head + count - left | 0;
    // A signal has ended the wait for the last ones, if there were any to wait for.
    while (rings[this.#cqTail] !== end) this.#await(end - head | 0);
    for (let position = head; position !== end; position = position + 1 | 0) {
      const at = this.#cqEvents + (position & this.#cqMask) * CQE.words;
      results[rings[at + CQE.data]!] = rings[at + CQE.result]!;
    }
    rings[this.#cqHead] = end;
  }

  close(): void {
    this.#libc.unmapShared(this.#rings);
    this.#libc.unmapShared(this.#submissions);
    this.#libc.close(this.#descriptor);
  }

  /** Waits until `count` results are in the ring, including those that were there before. */
  #await(count: number): void {
    const result = this.#libc.ioUringEnter(this.#descriptor, 0, count);
    if (result < 0 && result !== INTERRUPTED) throw errnoError(-result);
  }

  #position(index: number): number {
    return (this.#rings[this.#sqTail]! + index & this.#sqMask) * SQE.words;
  }
}

function ringWords(params: Int32Array): number {
  return Math.max(
    params[PARAMS.sqArray]! / WORD + params[PARAMS.sqEntries]!,
    params[PARAMS.cqEvents]! / WORD + params[PARAMS.cqEntries]! * CQE.words,
  );
}

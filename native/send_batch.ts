/** The sends of a turn of the event loop, made together. @module */
import { errnoOf } from "./errno.ts";
import { IoUring } from "./io_uring.ts";
import type { Libc } from "./libc.ts";

/** The owner of a send, as the batch sees it. */
export interface BatchedSender {
  /**
   * The send was made. `result` is how many bytes the socket has taken, or a negated error number; `rest` is the bytes that
   * it has not taken, and is valid only during the call.
   */
  handleSent(result: number, rest: Uint8Array): void;
}

// As many as a turn has events, twice.
const MOST_SENDS = 1024;
const ARENA_BYTES = 256 * 1024;
// Above this, to copy the bytes costs as much as a system call.
const MOST_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);
const AGAIN = -errnoOf("EAGAIN");

/**
 * Collects sends and makes them in one system call. That is not only cheaper. Where the peers run on the same machine, each
 * send wakes one up, and the kernel may let it run in place of this thread when the call returns: with one call for each
 * line, a busy server lost its processor 20,000 times a second.
 */
export class SendBatch {
  readonly #libc: Libc;
  /** `null` if the system does not allow io_uring. */
  #ring: IoUring | null | undefined;
  #count = 0;
  #arena: Uint8Array<ArrayBuffer> = NOTHING;
  /** The address of the arena in memory. */
  #address = 0;
  #used = 0;
  /** By number of the send; `undefined` if it was canceled. */
  readonly #senders: (BatchedSender | undefined)[] = [];
  readonly #ends = new Int32Array(MOST_SENDS);
  readonly #results = new Int32Array(MOST_SENDS);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Adds a send of the first `length` bytes, which are copied.
   *
   * @param more Whether more bytes or a FIN follow immediately, so that they share packets.
   * @returns Its number, or -1 if the batch does not take it: then the caller must send.
   */
  add(descriptor: number, bytes: Uint8Array, length: number, more: boolean, sender: BatchedSender): number {
    if (length > MOST_BYTES) return -1;
    const ring = this.#ring === undefined ? this.#openRing() : this.#ring;
    const start = this.#used;
    if (ring === null || this.#count === ring.capacity || start + length > ARENA_BYTES) return -1;
    const index = this.#count++;
    this.#arena.set(bytes.length === length ? bytes : bytes.subarray(0, length), start);
    ring.queueSend(index, descriptor, this.#address + start, length, more);
    this.#ends[index] = this.#used = start + length;
    this.#senders[index] = sender;
    return index;
  }

  /** Removes a send that was added since the last submission. */
  cancel(index: number): void {
    this.#ring!.cancel(index);
    this.#senders[index] = undefined;
  }

  /** Makes the sends, and reports the result of each. */
  submit(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#results.fill(AGAIN, 0, count);
    this.#ring!.submit(count, this.#results);
    this.#count = 0;
    this.#used = 0;
    let start = 0;
    for (let index = 0; index < count; index++) {
      const end = this.#ends[index]!;
      const sender = this.#senders[index];
      this.#senders[index] = undefined;
      if (sender !== undefined) this.#report(sender, this.#results[index]!, start, end);
      start = end;
    }
  }

  close(): void {
    this.#ring?.close();
  }

  #report(sender: BatchedSender, result: number, start: number, end: number): void {
    const taken = start + Math.max(result, 0);
    try {
      sender.handleSent(result, taken === end ? NOTHING : this.#arena.subarray(taken, end));
    } catch (error) {
      reportError(error); // The others must hear of theirs.
    }
  }

  #openRing(): IoUring | null {
    const ring = this.#ring = IoUring.open(this.#libc, MOST_SENDS) ?? null;
    if (ring !== null) {
      this.#arena = new Uint8Array(ARENA_BYTES);
      this.#address = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.#arena)));
    }
    return ring;
  }
}

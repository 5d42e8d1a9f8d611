/** `struct epoll_event` as bytes: which descriptor is ready, and for what. Pure. @module */

export const EPOLLIN = 0x1;
export const EPOLLPRI = 0x2;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
/** The peer has sent its FIN. */
export const EPOLLRDHUP = 0x2000;
/** Reports changes, not states. */
export const EPOLLET = 1 << 31;

/** Operations of `epoll_ctl`. */
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

/** Processors that this module knows the layout for. */
export type Arch = "x86_64" | "aarch64";

// On x86-64 the struct is packed, for 32-bit programs; elsewhere the 64 bits of data are aligned (eventpoll.h).
const LAYOUT: Readonly<Record<Arch, { readonly size: number; readonly data: number }>> = {
  x86_64: { size: 12, data: 4 },
  aarch64: { size: 16, data: 8 },
};

/**
 * An array of `struct epoll_event`. The 64 bits of user data hold a descriptor in the low half and a generation in the
 * high half: a number that distinguishes the descriptor from an earlier one with the same number.
 *
 * @example
 * ```ts
 * import { EPOLLIN, EpollEvents } from "./epoll_events.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const events = new EpollEvents(1, "x86_64");
 * events.set(0, EPOLLIN, 7, 42);
 * assertEquals([events.bits(0), events.descriptor(0), events.generation(0)], [EPOLLIN, 7, 42]);
 * ```
 */
export class EpollEvents {
  /** The memory for the system call. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The number of events that fit. */
  readonly capacity: number;
  readonly #words: Int32Array;
  /** Words of an event, and the word in it at which the data begin. */
  readonly #stride: number;
  readonly #data: number;

  constructor(capacity: number, arch: Arch) {
    const { size, data } = LAYOUT[arch];
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity * size);
    this.#words = new Int32Array(this.bytes.buffer); // Both processors are little-endian, as is the array.
    this.#stride = size / 4;
    this.#data = data / 4;
  }

  /** The bits of the event at `index`: what the descriptor is ready for. */
  bits(index: number): number {
    return this.#words[index * this.#stride]!;
  }

  descriptor(index: number): number {
    return this.#words[index * this.#stride + this.#data]!;
  }

  /** A signed 32-bit integer. */
  generation(index: number): number {
    return this.#words[index * this.#stride + this.#data + 1]!;
  }

  set(index: number, bits: number, descriptor: number, generation: number): void {
    const at = index * this.#stride;
    this.#words[at] = bits;
    this.#words[at + this.#data] = descriptor;
    this.#words[at + this.#data + 1] = generation;
  }
}

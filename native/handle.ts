/** A descriptor and its owner in one object, so that no descriptor is used after it is closed. @module */
import { badResource } from "../internal/os_errors.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "./epoll_events.ts";
import type { EventLoop, Watched } from "./event_loop.ts";

const CLOSED = -1;

/**
 * An open descriptor that the event loop watches. Closing it ends every use of its number here: the number may belong to
 * another handle right afterwards.
 *
 * Interest is given up late, when an event finds that no operation wants it. An operation that ends is usually followed
 * by another of its kind, which then costs no system call.
 */
export abstract class Handle implements Watched {
  protected readonly loop: EventLoop;
  readonly generation: number;
  #descriptor: number;
  /** The events that epoll reports; `undefined` if the descriptor is not in its list. Errors and hang-ups are always reported. */
  #bits: number | undefined;

  /**
   * Takes the descriptor: it is closed even when this throws.
   *
   * @param bits Events that epoll reports from the start. Default nothing: the descriptor is not in its list.
   * @param listed Events that epoll reports for an earlier handle of the descriptor, if any.
   */
  constructor(loop: EventLoop, descriptor: number, bits?: number, listed?: number) {
    this.loop = loop;
    this.generation = loop.nextGeneration();
    this.#descriptor = descriptor;
    loop.add(this);
    if (bits === undefined) return;
    try {
      loop.watch(this, listed, bits);
    } catch (error) {
      this.closeDescriptor();
      throw error;
    }
    this.#bits = bits;
  }

  get closed(): boolean {
    return this.#descriptor === CLOSED;
  }

  /** @throws {Deno.errors.BadResource} If it is closed. */
  get descriptor(): number {
    if (this.#descriptor === CLOSED) throw badResource();
    return this.#descriptor;
  }

  handleEvents(bits: number): void {
    const ended = (bits & (EPOLLERR | EPOLLHUP)) !== 0;
    const wanted = this.wanted();
    if ((wanted & EPOLLIN) !== 0 && (ended || (bits & EPOLLIN) !== 0)) this.readable();
    // Asked again, because the owner may have closed it or given up in the meantime.
    if ((wanted & EPOLLOUT & this.wanted()) !== 0 && (ended || (bits & EPOLLOUT) !== 0)) this.writable();
    // An event that was wanted: its operation has ended, and the next of its kind is probably on its way.
    if (wanted !== 0 && (bits & ~wanted & (EPOLLIN | EPOLLOUT)) === 0 || this.closed) return;
    // With the operations that began in the meantime: nothing would report their events.
    const watched = wanted | this.wanted();
    if (ended && watched === 0) this.#forget(); // Nothing else would silence these two.
    else this.#watchOnly(watched);
  }

  /** Events that the owner waits for now: EPOLLIN, EPOLLOUT, both, or 0. A closed handle waits for nothing. */
  protected abstract wanted(): number;
  protected abstract readable(): void;
  protected abstract writable(): void;

  /** Whether an event will come for each of `bits`. Otherwise one came that no operation wanted. */
  protected watches(bits: number): boolean {
    return this.#bits !== undefined && (this.#bits & bits) === bits;
  }

  /** Makes epoll report `bits`, too. */
  protected watch(bits: number): void {
    if (!this.watches(bits)) this.#watchOnly((this.#bits ?? 0) | bits);
  }

  /** Closes the descriptor. Does nothing if it is closed. */
  protected closeDescriptor(): void {
    if (this.#descriptor === CLOSED) return;
    const descriptor = this.release();
    this.loop.libc.close(descriptor);
  }

  /** Gives the descriptor away, open and still in epoll's list, and is closed without it. */
  protected release(): number {
    const descriptor = this.descriptor;
    this.loop.remove(this);
    this.#descriptor = CLOSED;
    return descriptor;
  }

  #watchOnly(bits: number): void {
    if (bits === this.#bits) return;
    this.loop.watch(this, this.#bits, bits);
    this.#bits = bits;
  }

  #forget(): void {
    this.loop.watch(this, this.#bits, undefined);
    this.#bits = undefined;
  }
}

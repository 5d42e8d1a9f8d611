/** A descriptor and its owner in one object, so that no descriptor is used after it is closed. @module */
import { badResource } from "../internal/os_errors.ts";
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from "./epoll_events.ts";
import type { EventLoop, Watched } from "./event_loop.ts";

const CLOSED = -1;
/** Nothing more will be sent to this side, or nothing more can be. */
export const ENDED = EPOLLRDHUP | EPOLLERR | EPOLLHUP;
const INPUT = EPOLLIN | EPOLLPRI | ENDED;
const OUTPUT = EPOLLOUT | EPOLLERR | EPOLLHUP;

/** Events of a handle that waits for input now and then: once for each arrival (edge-triggered). */
export const INPUT_EVENTS = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;

/**
 * An open descriptor that the event loop watches. Closing it ends every use of its number here: the number may belong to
 * another handle right afterwards.
 *
 * Epoll reports each arrival of input once. So a handle is registered once, and neither the end of a read nor the next
 * one costs a system call. An owner that leaves input unread calls `inputLeft`, as nothing else would report it.
 */
export abstract class Handle implements Watched {
  protected readonly loop: EventLoop;
  readonly generation: number;
  #descriptor: number;
  /** The events that epoll reports; 0 if the descriptor is not in its list. */
  #bits: number;
  /** Whether there may be input that no event will report. */
  #unreported = false;

  /**
   * Takes a descriptor: it is closed even when this throws.
   *
   * @param from The descriptor; or an earlier owner of it, whose events are this handle's from now on.
   * @param bits Events that epoll reports from the start; 0 if the descriptor is not in its list. An earlier owner has
   * set them already.
   */
  constructor(loop: EventLoop, from: number | Handle, bits: number) {
    this.loop = loop;
    if (typeof from === "number") {
      this.generation = loop.nextGeneration();
      this.#descriptor = from;
      this.#bits = 0;
      loop.add(this);
      if (bits !== 0) this.#watchFromStart(bits);
    } else {
      this.generation = from.generation;
      this.#bits = from.#bits;
      this.#unreported = from.#unreported;
      this.#descriptor = from.release();
      loop.add(this);
    }
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
    if ((bits & INPUT) !== 0) {
      if ((this.wanted() & EPOLLIN) !== 0) this.readable(bits);
      else this.#unreported = true;
    }
    // The owner may have closed it in the meantime: then nothing is wanted.
    if ((bits & OUTPUT) !== 0 && (this.wanted() & EPOLLOUT) !== 0) this.writable();
  }

  /** Events that the owner waits for now: EPOLLIN, EPOLLOUT, both, or 0. A closed handle waits for nothing. */
  protected abstract wanted(): number;

  /** @param bits The events that epoll reports. */
  protected abstract readable(bits: number): void;
  protected abstract writable(): void;

  /** Notes that the owner left input unread, as far as it knows. */
  protected inputLeft(): void {
    this.#unreported = true;
  }

  /** Makes epoll report input, also if it is there already. The event comes in the next turn, after those of the others. */
  protected awaitInput(): void {
    if (!this.#unreported && (this.#bits & EPOLLIN) !== 0) return;
    this.#unreported = false;
    this.#watch(this.#bits | INPUT_EVENTS);
  }

  /** Makes epoll report when there is room for output. */
  protected awaitOutput(): void {
    if ((this.#bits & EPOLLOUT) === 0) this.#watch(this.#bits | EPOLLOUT | EPOLLET);
  }

  /** Closes the descriptor. Does nothing if it is closed. */
  protected closeDescriptor(): void {
    if (this.#descriptor !== CLOSED) this.loop.libc.close(this.release());
  }

  /** Gives up the descriptor, open and still in epoll's list, and is closed without it. */
  protected release(): number {
    const descriptor = this.#descriptor;
    this.loop.remove(this);
    this.#descriptor = CLOSED;
    return descriptor;
  }

  #watchFromStart(bits: number): void {
    try {
      this.#watch(bits);
    } catch (error) {
      this.closeDescriptor();
      throw error;
    }
  }

  /** Epoll looks at the descriptor again, and reports what is there, even if the bits are the same. */
  #watch(bits: number): void {
    this.loop.watch(this, this.#bits === 0 ? undefined : this.#bits, bits);
    this.#bits = bits;
  }
}

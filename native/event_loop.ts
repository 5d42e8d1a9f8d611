/** The loop over `epoll_wait`: notifies handles that are ready, and sleeps while none is. @module */
import type { Clock } from "../internal/clock.ts";
import { runTurn } from "../internal/turn.ts";
import { plural } from "../internal/plural.ts";
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EpollEvents, EPOLLIN } from "./epoll_events.ts";
import type { Libc } from "./libc.ts";
import { SendBatch } from "./send_batch.ts";
import { ShortWait } from "./short_wait.ts";
import { errnoError } from "./system_error.ts";
import { TurnSeries } from "./turn_series.ts";

/** A descriptor's owner, as the loop sees it. */
export interface Watched {
  readonly descriptor: number;
  /** Distinguishes this use of the descriptor's number from earlier ones. */
  readonly generation: number;
  /** The descriptor is ready for `bits`. */
  handleEvents(bits: number): void;
}

/** Figures of an {@linkcode EventLoop}, for tests and diagnosis. */
export interface EventLoopStats {
  /** Open descriptors. */
  readonly open: number;
  /** Operations that wait for a descriptor. */
  readonly waiting: number;
  /** Whether the loop runs or sleeps; it does neither while nothing waits. */
  readonly running: boolean;
  /** Events so far. */
  readonly events: number;
  /** Events for a descriptor that had been closed before they were looked at. */
  readonly stale: number;
}

// Events per turn. The kernel appends a handle that is still ready to the end of its list, so that with more handles
// than these each gets its turn.
const EVENTS = 512;
// Empty looks before the loop sleeps. To sleep and to be woken takes another thread and costs a quarter of the CPU time of
// a hundred busy connections; a look that waits on this thread costs a system call.
const LOOKS = 4;
// After so few events the next look waits as well: there is hardly anything to read yet.
const FEW = 4;
// The longest sleep. Its thread would otherwise be lost forever when a Worker is terminated.
const SLEEP_MS = 10_000;
// The largest read of one turn. With a quarter of this, passing on a stream takes a tenth more CPU time.
const BUFFER_BYTES = 256 * 1024;
// Reads of up to this many bytes share their views of the buffer: to make one costs as much as decoding a short line.
const SHORT_READ = 1024;

// Descriptors to make room for before there are many. The kernel doubles its table when it is full; in a process of several
// threads, it first waits until no processor uses the old one, for 10 to 80 ms. Of ten thousand connections that come
// together, some would find the accept queue full, and try again after a second.
const TABLE_SIZES = [65_536, 16_384, 4096, 1024];
// A process that listens will have many descriptors, and one that has as many as this.
const MANY = 64;

// Events after which freed memory goes back to the system; after twice as many, again, and so on. Otherwise, what it took to
// compile the program and its busy functions, 7 to 20 MB, would stay with the allocator for good.
const FIRST_TRIM = 65_536;

type State = "stopped" | "looking" | "sleeping" | "waking";

/**
 * Watches descriptors. It runs while operations wait, and keeps the process alive only for that long, as pending
 * operations of Deno's own sockets do.
 */
export class EventLoop implements AsyncDisposable {
  readonly libc: Libc;
  readonly clock: Clock;
  /** The sends of a turn that is busy. */
  readonly sends: SendBatch;
  /** Memory for reads, valid until the next one. */
  readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  /** Views of the first bytes of `buffer`, by length. */
  readonly #views = new Array<Uint8Array | undefined>(SHORT_READ + 1);
  readonly #epoll: number;
  readonly #eventfd: number;
  readonly #events: EpollEvents;
  readonly #shortWait: ShortWait;
  readonly #turns: TurnSeries;
  /** By descriptor. */
  readonly #watched: (Watched | undefined)[] = [];
  #open = 0;
  #generation = 0;
  #waiting = 0;
  #state: State = "stopped";
  #stopped: PromiseWithResolvers<void> | undefined;
  /** Whether other work of this thread has sent something since the last wait. */
  #shared = false;
  #emptyLooks = 0;
  /** Whether the next look waits, unless it is the first one. */
  #quiet = false;
  /** Whether the next look is the first one since the loop was stopped. */
  #first = false;
  #busy = false;
  #received = 0;
  #trimAt = FIRST_TRIM;
  #stale = 0;
  #tableGrown = false;

  /** @throws {Error} If the process has no descriptors left. */
  constructor(libc: Libc, clock: Clock) {
    this.libc = libc;
    this.clock = clock;
    this.sends = new SendBatch(libc);
    this.#events = new EpollEvents(EVENTS, libc.arch);
    this.#epoll = checked(libc.epollCreate());
    this.#shortWait = new ShortWait(libc, this.#epoll, this.#events, clock);
    this.#turns = new TurnSeries(clock, {
      mayWait: () => this.#quiet,
      takeTurn: (shared) => this.#takeTurn(shared),
    });
    this.#eventfd = libc.eventfd();
    if (this.#eventfd < 0) libc.close(this.#epoll);
    checked(this.#eventfd);
    checked(libc.epollControl(this.#epoll, EPOLL_CTL_ADD, this.#eventfd, EPOLLIN, 0));
  }

  /** Whether this is a turn with many events. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Whether the last turn had many events, or this one has. */
  get recentlyBusy(): boolean {
    return this.#state === "looking" && !this.#quiet;
  }

  /** Returns the first `count` bytes of `buffer`. */
  filled(count: number): Uint8Array {
    if (count > SHORT_READ) return this.buffer.subarray(0, count);
    return this.#views[count] ??= this.buffer.subarray(0, count);
  }

  /** A number that no other handle has. */
  nextGeneration(): number {
    return this.#generation = this.#generation + 1 | 0;
  }

  /** Takes a handle for events of its descriptor. */
  add(watched: Watched): void {
    this.#watched[watched.descriptor] = watched;
    if (++this.#open === MANY) this.growDescriptorTable();
  }

  /** Forgets a handle: no event reaches it anymore. The kernel forgets a descriptor when it is closed. */
  remove(watched: Watched): void {
    this.#watched[watched.descriptor] = undefined;
    this.#open--;
  }

  /** Makes room for the descriptors of many connections, once. */
  growDescriptorTable(): void {
    if (this.#tableGrown) return;
    this.#tableGrown = true;
    // The sizes over the limit of the process fail.
    TABLE_SIZES.some((size) => this.libc.growDescriptorTable(this.#epoll, size) >= 0);
  }

  /** Changes what a handle is watched for from `before` to `bits`; `undefined` means not at all. */
  watch(watched: Watched, before: number | undefined, bits: number | undefined): void {
    const operation = before === undefined
      ? EPOLL_CTL_ADD
      : bits === undefined
      ? EPOLL_CTL_DEL
      : EPOLL_CTL_MOD;
    const { descriptor, generation } = watched;
    checked(this.libc.epollControl(this.#epoll, operation, descriptor, bits ?? 0, generation));
  }

  /** An operation begins to wait. */
  begin(): void {
    this.#waiting++;
    if (this.#state !== "stopped") return;
    this.#first = true;
    this.#look(false);
  }

  /** An operation waits no longer. */
  end(): void {
    this.#waiting--;
    if (this.#waiting > 0 || this.#state !== "sleeping") return;
    this.#state = "waking";
    checked(this.libc.raise(this.#eventfd));
  }

  stats(): EventLoopStats {
    return {
      open: this.#open,
      waiting: this.#waiting,
      running: this.#state !== "stopped",
      events: this.#received,
      stale: this.#stale,
    };
  }

  /**
   * Closes epoll when the loop has stopped.
   *
   * @throws {TypeError} If descriptors are open.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open > 0) {
      throw new TypeError(`Cannot close the event loop: ${plural(this.#open, "descriptor")} open`);
    }
    if (this.#state !== "stopped") await (this.#stopped = Promise.withResolvers()).promise;
    this.sends.close();
    this.libc.close(this.#eventfd);
    this.libc.close(this.#epoll);
  }

  #look(rested: boolean): void {
    this.#state = "looking";
    this.#emptyLooks = 0;
    this.#turns.start(rested);
  }

  #takeTurn(shared: boolean): boolean {
    if (shared) this.#shared = true;
    if (this.#waiting === 0) {
      this.#state = "stopped";
      this.#stopped?.resolve();
      return false;
    }
    // The first look may come at the end of the turn that started the loop, and before the output of that turn.
    const waits = this.#quiet && !this.#first;
    this.#first = false;
    const count = waits ? this.#wait() : this.libc.epollWait(this.#epoll, this.#events);
    if (count > 0) {
      this.#emptyLooks = 0;
      this.#quiet = count <= FEW;
      this.#handle(count);
      return true;
    }
    this.#quiet = true;
    if (++this.#emptyLooks < LOOKS) return true;
    this.#state = "sleeping";
    void this.libc.epollSleep(this.#epoll, SLEEP_MS).then(this.#woken);
    return false;
  }

  /** Handles the events of a turn. What the handles send is written before the next look. */
  #handle(count: number): void {
    this.#busy = !this.#quiet;
    try {
      runTurn(this.#dispatch, count);
    } finally {
      // First, because a receiver that writes again must do so itself: the submission of the next turn may never come.
      this.#busy = false;
      this.sends.submit();
    }
  }

  #wait(): number {
    const shared = this.#shared;
    this.#shared = false;
    return this.#shortWait.wait(shared);
  }

  readonly #woken = (): void => {
    this.#look(true);
  };

  readonly #dispatch = (count: number): void => {
    const events = this.#events;
    this.#received += count;
    if (this.#received >= this.#trimAt) {
      this.#trimAt *= 2;
      this.libc.trimMemory();
    }
    for (let index = 0; index < count; index++) {
      const descriptor = events.descriptor(index);
      const watched = this.#watched[descriptor];
      if (watched !== undefined && watched.generation === events.generation(index)) {
        try {
          watched.handleEvents(events.bits(index));
        } catch (error) {
          // The events after it would not be reported again.
          reportError(error);
        }
      } else if (descriptor === this.#eventfd) checked(this.libc.lower(descriptor));
      else this.#stale++;
    }
  };
}

/**
 * Returns the result of a call of {@linkcode Libc} that did not fail.
 *
 * @throws {Error} The error of one that did.
 */
export function checked(result: number): number {
  if (result < 0) throw errnoError(-result);
  return result;
}

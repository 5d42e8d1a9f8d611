/** Waiting on the thread of the event loop, which is cheaper than sleeping on another one. @module */
import type { Clock } from "../internal/clock.ts";
import type { EpollEvents } from "./epoll_events.ts";
import type { Libc } from "./libc.ts";

// Other work of this thread, such as timers and files, is late by one wait at most. So waits are short until events end them
// before their time, as with a few thousand events a second: then each wait that is cut short would cost another one.
const SHORTEST_PAUSE_NS = 50_000;
// Most kernels look at their timers every 4 ms anyway (CONFIG_HZ=250). To set an earlier one for each wait, and to cancel it,
// takes a quarter of the CPU time of a server with few clients, at least in a virtual machine: the hypervisor does both.
const LONGEST_PAUSE_NS = 4_000_000;
// While other work of the thread sends, and while a timer is due sooner.
const LONGEST_SHARED_PAUSE_NS = 1_000_000;
const TIMER_PAUSE_NS = 2_000_000;
const PAUSE_GROWTH = 2;
const PAUSE_SHRINKAGE = 4;

// Looks of a spin, which take about 25 µs.
const LOOKS = 160;
// Each spin that finds something allows one more in vain, up to a limit. So they go on while at least half of them find
// something. Otherwise, a few are tried again after many waits: with a light load, most would be in vain.
const MOST_IN_VAIN = 16;
const TRIED_IN_VAIN = 3;
const WAITS_BETWEEN = 1024;

/**
 * Waits until a descriptor is ready, for up to 4 ms.
 *
 * While it is likely that one is ready soon, it spins first: it looks again and again. The system puts a processor with
 * nothing to do to sleep, and on a virtual machine, waking it takes longer than a spin: with one request at a time, a proxy
 * would spend more time waking up than working. The kernel's haltpoll governor does the same for a processor
 * (cpuidle/governors/haltpoll.c).
 */
export class ShortWait {
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #events: EpollEvents;
  readonly #clock: Pick<Clock, "untilDue">;
  #pause = SHORTEST_PAUSE_NS;
  /** Spins that may be in vain from now on. */
  #spins = 0;
  /** Waits before spins are tried again. */
  #waits = WAITS_BETWEEN;

  constructor(libc: Libc, epoll: number, events: EpollEvents, clock: Pick<Clock, "untilDue">) {
    this.#libc = libc;
    this.#epoll = epoll;
    this.#events = events;
    this.#clock = clock;
  }

  /**
   * Returns how many descriptors are ready: 0 if none is in time.
   *
   * @param shared Whether other work of this thread has sent something since the last wait.
   */
  wait(shared: boolean): number {
    if (this.#spins > 0) {
      const count = this.#spin();
      if (count > 0) return count;
    } else if (--this.#waits === 0) {
      this.#waits = WAITS_BETWEEN;
      this.#spins = TRIED_IN_VAIN;
    }
    const count = this.#look(Math.min(this.#pause, this.#longest(shared)));
    this.#pause = count > 0
      ? Math.min(this.#pause * PAUSE_GROWTH, LONGEST_PAUSE_NS)
      : Math.max(this.#pause / PAUSE_SHRINKAGE, SHORTEST_PAUSE_NS);
    return count;
  }

  /** Returns the time in ns that the other work of this thread allows for this wait. */
  #longest(shared: boolean): number {
    if (shared) return LONGEST_SHARED_PAUSE_NS;
    if (this.#pause <= TIMER_PAUSE_NS) return this.#pause;
    const timer = this.#clock.untilDue?.() ?? Infinity;
    return Math.max(TIMER_PAUSE_NS, Math.min(Math.ceil(timer * 1_000_000), LONGEST_PAUSE_NS));
  }

  #spin(): number {
    let count = 0;
    for (let look = 0; look < LOOKS && count <= 0; look++) count = this.#look();
    this.#spins = count > 0 ? Math.min(this.#spins + 1, MOST_IN_VAIN) : this.#spins - 1;
    return count;
  }

  #look(ns = 0): number {
    return this.#libc.epollWait(this.#epoll, this.#events, ns);
  }
}

/** The processes of a server: those that run, and the counts of those that have ended. @module */
import { EndedTotals } from "./ended_totals.ts";
import { combineStates } from "./sum_stats.ts";
import type { Worker } from "./worker.ts";

/** A running process, which may be draining. */
export interface Member {
  readonly worker: Worker;
  /** From 0 to below {@linkcode Crew.slots}. A slot is free again a long time after its process has ended. */
  readonly slot: number;
}

/** Slots of a server of a few processes. A round number, because the ids of connections end in it. */
const MIN_SLOTS = 1000;

/** All processes that a server has started. */
export class Crew {
  /** Number of slots. */
  readonly slots: number;
  readonly #members = new Map<number, Worker>();
  readonly #ended = new EndedTotals();
  #lastSlot = -1;

  /** @param processes Number of processes that serve at the same time. */
  constructor(processes: number) {
    // Ten times as many, so that a slot is not used again soon.
    this.slots = Math.max(MIN_SLOTS, 10 ** Math.ceil(Math.log10(processes * 10)));
  }

  /** Adds a process that was started. */
  add(worker: Worker): void {
    do this.#lastSlot = (this.#lastSlot + 1) % this.slots; while (this.#members.has(this.#lastSlot));
    const slot = this.#lastSlot;
    this.#members.set(slot, worker);
    void worker.ended.then(() => {
      this.#members.delete(slot);
      this.#ended.add(worker.known);
    });
  }

  /** The processes that run, in the order of their start. */
  get members(): readonly Member[] {
    return [...this.#members].map(([slot, worker]) => ({ slot, worker }));
  }

  /** The counts of the processes that have ended. */
  get ended(): Pick<EndedTotals, "state" | "figures"> {
    return this.#ended;
  }

  /**
   * Asks all processes for their states, and returns the state of the server. A process that hangs is part of it with its last
   * state, and counts as `unanswered`.
   */
  async state(restarts: () => number): Promise<Record<string, unknown>> {
    const silent = new Set<Worker>();
    await Promise.all(this.members.map(async ({ worker }) => {
      if (await worker.state() === undefined) silent.add(worker);
    }));
    const running = this.members.map(({ worker }) => worker);
    return combineStates(
      running.flatMap((worker) => {
        const { state } = worker.known;
        return state === undefined ? [] : [{ pid: worker.pid, state, answered: !silent.has(worker) }];
      }),
      {
        restarts: restarts(),
        ended: this.#ended.state,
        unanswered: running.filter((worker) => silent.has(worker)).length,
      },
    );
  }
}

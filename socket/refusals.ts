/** Peers that are told why they may not stay. @module */
import type { Connection } from "./connection.ts";
import type { TaskSet } from "./task_set.ts";

/** Longest time in ms that a refused peer may take to go away: it holds a descriptor. */
export const REFUSED_DRAIN_TIMEOUT = 1000;

// Refused peers of a second are not worth more descriptors than this; those over it are not told why.
const MOST_REFUSED = 256;

/** Ends connections that no place was found for, as many at a time as may be. */
export class Refusals<Frame> {
  readonly #tasks: TaskSet;
  readonly #refusal: ((why: string) => Frame) | undefined;
  readonly #leaving = new Set<Connection<Frame>>();

  /**
   * @param tasks Told of those that are leaving.
   * @param refusal Makes the frame that tells a peer why.
   */
  constructor(tasks: TaskSet, refusal: ((why: string) => Frame) | undefined) {
    this.#tasks = tasks;
    this.#refusal = refusal;
  }

  refuse(connection: Connection<Frame>, why: string): void {
    if (this.#leaving.size >= MOST_REFUSED) {
      connection.close();
      return;
    }
    this.#leaving.add(connection);
    this.#tasks.add(connection.closed.then(() => this.#leaving.delete(connection)));
    if (this.#refusal !== undefined) connection.send(this.#refusal(why));
    this.#tasks.add(connection.end({ type: "local", why }));
  }

  /** Closes those that are leaving now. */
  close(why: string): void {
    for (const connection of this.#leaving) connection.close({ type: "local", why });
  }
}

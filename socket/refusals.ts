/** Peers that are told why they may not stay. @module */
import type { Connection } from "./connection.ts";
import type { Refusal } from "./connection_set.ts";
import type { Address } from "./network.ts";
import type { TaskSet } from "../internal/task_set.ts";

/** Longest time in ms that a refused peer may take to go away: it holds a descriptor. */
export const REFUSED_DRAIN_TIMEOUT = 1000;

// Refused peers of a second are not worth more descriptors than this; those over it are not told why.
const MOST_REFUSED = 256;

/** Who is told of refusals. */
export interface RefusalOptions<Frame> {
  /** Makes the frame that tells a peer why. */
  readonly refusal?: (why: string, limit: Refusal["limit"]) => Frame;
  /** Told of each. */
  readonly onRefused?: (remote: Address, refusal: Refusal) => void;
}

/** Ends connections that no place was found for, as many at a time as may be. */
export class Refusals<Frame> {
  readonly #tasks: TaskSet;
  readonly #options: RefusalOptions<Frame>;
  readonly #leaving = new Set<Connection<Frame>>();

  /** @param tasks Told of those that are leaving, and of what `onRefused` throws. */
  constructor(tasks: TaskSet, options: RefusalOptions<Frame>) {
    this.#tasks = tasks;
    this.#options = options;
  }

  refuse(connection: Connection<Frame>, refusal: Refusal): void {
    try {
      this.#options.onRefused?.(connection.remote, refusal);
    } catch (error) {
      this.#tasks.fail(error);
    }
    const { why } = refusal;
    if (this.#leaving.size >= MOST_REFUSED) {
      connection.abort();
      return;
    }
    this.#leaving.add(connection);
    this.#tasks.add(connection.closed.then(() => this.#leaving.delete(connection)));
    const frame = this.#options.refusal?.(why, refusal.limit);
    if (frame !== undefined) connection.send(frame);
    this.#tasks.add(connection.close({ type: "local", why }));
  }

  /** Closes those that are leaving now. */
  close(why: string): void {
    for (const connection of this.#leaving) connection.abort({ type: "local", why });
  }
}

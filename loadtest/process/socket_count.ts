/** Counts the sockets that processes have opened since a moment, from outside. @module */
import { socketsOf } from "./process_usage.ts";

/** The sockets of some processes at one moment. */
export class SocketCount {
  readonly #before: ReadonlyMap<number, ReadonlySet<string> | null>;

  /** Looks at the sockets that these processes have now. */
  constructor(pids: readonly number[]) {
    this.#before = new Map(pids.map((pid) => [pid, setOf(pid)]));
  }

  /**
   * Returns the number of sockets of these processes that they did not have before, or `null` if that is not known, as for a
   * process that did not exist. Sockets from before may have closed since, such as the one of Deno's update check, and must
   * not offset leaked ones.
   */
  opened(pids: readonly number[]): number | null {
    let opened = 0;
    for (const pid of pids) {
      const [before, now] = [this.#before.get(pid), socketsOf(pid)];
      if (!before || now === null) return null;
      opened += now.filter((socket) => !before.has(socket)).length;
    }
    return opened;
  }
}

function setOf(pid: number): ReadonlySet<string> | null {
  const sockets = socketsOf(pid);
  return sockets && new Set(sockets);
}

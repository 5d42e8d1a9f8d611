/** The processes of a target on this machine, observed from outside. @module */
import type { Address } from "../../socket/network.ts";
import { countSockets, residentMemory } from "../process/process_usage.ts";

/** The resources that processes hold in total. */
export interface HeldResources {
  /** Open sockets. */
  readonly sockets: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

const POLL_MS = 50;
const LISTEN = "0A";

/** Processes of a target under torture. */
export class TargetProcess {
  readonly pids: readonly number[];

  constructor(pids: readonly number[]) {
    this.pids = pids;
  }

  /**
   * Finds the processes that listen at `target`. Returns `undefined` if they are unknown: on another machine, in a container,
   * of another user, or not on Linux.
   */
  static find(target: Address): TargetProcess | undefined {
    if (!/^(127\.|::1$|localhost$)/.test(target.hostname)) return undefined;
    const sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeners(table, target.port));
    const pids = processes().filter((pid) => holdsOneOf(pid, sockets));
    return pids.length === 0 ? undefined : new TargetProcess(pids);
  }

  /** Returns the resources that they hold now, or `undefined` if one of them has ended. */
  heldResources(): HeldResources | undefined {
    let sockets = 0;
    let memory = 0;
    for (const pid of this.pids) {
      const resident = residentMemory(pid);
      const open = countSockets(pid);
      if (resident === null || open === null) return undefined;
      memory += resident;
      sockets += open;
    }
    return { sockets, memory };
  }

  /** Waits until they hold at most `most` sockets, or `ms` have passed. Returns the resources that they hold. */
  async settled(most: number, ms: number): Promise<HeldResources | undefined> {
    const giveUpAt = performance.now() + ms;
    while (true) {
      const holding = this.heldResources();
      if (holding === undefined || holding.sockets <= most || performance.now() >= giveUpAt) return holding;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** Returns the inodes of sockets that listen at `port`. Fields as in proc(5): the second is the address, the fourth the state. */
function listeners(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readable(() => Deno.readTextFileSync(table), "").split("\n").slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[3] === LISTEN && fields[1]?.endsWith(suffix) ? [`socket:[${fields[9]}]`] : [];
  });
}

function processes(): number[] {
  return readable(() => [...Deno.readDirSync("/proc")], [])
    .map(({ name }) => Number(name)).filter(Number.isInteger);
}

function holdsOneOf(pid: number, sockets: readonly string[]): boolean {
  return readable(() => [...Deno.readDirSync(`/proc/${pid}/fd`)], []).some(({ name }) =>
    sockets.includes(readable(() => Deno.readLinkSync(`/proc/${pid}/fd/${name}`), ""))
  );
}

/** Returns the result of `read`, or `otherwise` if the file does not exist or cannot be read. */
function readable<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable
    ) return otherwise;
    throw error;
  }
}

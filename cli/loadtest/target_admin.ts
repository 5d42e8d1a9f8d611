/** The admin server of a target that the load test did not start. @module */
import { readState } from "../../admin/client.ts";
import type { ServerState } from "../../loadtest/history/events.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import { UsageError } from "../terminal/exit.ts";

const ANSWER_MS = 5000;
/** Longest time in ms until the target must reach zero after the last client is done. */
const ZERO_MS = 5000;
const POLL_MS = 50;

const UNKNOWN: ServerState = {
  connections: null,
  pending: null,
  timers: null,
  queuedBytes: null,
  descriptors: null,
  closed: {},
};

type Counts = Readonly<Record<string, unknown>>;

/** Reads the state of a target before and after a run. */
export class TargetAdmin {
  readonly #address: Address;
  readonly #before: Counts;

  private constructor(address: Address, before: Counts) {
    this.#address = address;
    this.#before = before;
  }

  /**
   * Reads the state before the run: what was counted before it is not part of it.
   *
   * @throws {UsageError} If no admin server answers at the address.
   */
  static async reach(address: Address): Promise<TargetAdmin> {
    const before = await readState(address, ANSWER_MS);
    if (before?.event === "state") return new TargetAdmin(address, before);
    const where = formatAddress(address);
    throw new UsageError(
      `Cannot use --target-admin ${where}: no admin server of okline answers there; start the target with --admin ` +
        `${where}, or omit --target-admin`,
    );
  }

  /**
   * Reads the state until nothing is left in it, or 5 s have passed. It has `unread` if it cannot be read anymore, or a
   * process of the server does not answer, which may hold anything.
   */
  async untilZero(): Promise<ServerState> {
    const giveUpAt = performance.now() + ZERO_MS;
    while (true) {
      const now = await readState(this.#address, ANSWER_MS);
      const late = performance.now() >= giveUpAt;
      if (now === undefined) {
        return {
          ...UNKNOWN,
          unread: `its admin server ${formatAddress(this.#address)} does not answer anymore`,
        };
      }
      const unanswered = numberOf(now.unanswered);
      if (late && unanswered > 0) {
        return { ...UNKNOWN, unread: `${unanswered} of its processes did not answer` };
      }
      const state = this.#since(now);
      const { connections, pending, timers, queuedBytes } = state;
      const left = (connections ?? 0) + (pending ?? 0) + (timers ?? 0) + (queuedBytes ?? 0);
      if (late || left + unanswered === 0) return state;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #since(now: Counts): ServerState {
    const gone = (key: string) => numberOf(now[key]) - numberOf(this.#before[key]);
    const before = countsOf(this.#before.closed);
    const closed = Object.entries(countsOf(now.closed)).map(([reason, count]) => [
      reason,
      numberOf(count) - numberOf(before[reason]),
    ]);
    return {
      connections: numberOf(now.connections),
      pending: numberOf(now.pending),
      timers: numberOf(now.timers),
      queuedBytes: numberOf(now.queuedBytes),
      descriptors: null,
      closed: Object.fromEntries(closed),
      ...(now.stray === undefined ? {} : { stray: gone("stray") }),
      ...(now.redelivered === undefined ? {} : { redelivered: gone("redelivered") }),
    };
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function countsOf(value: unknown): Counts {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

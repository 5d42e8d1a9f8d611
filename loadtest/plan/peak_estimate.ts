/** Estimates the peak of open clients by simulating a plan without sockets. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/**
 * What connecting, transit, and closing add to a client's life beyond the reply delays, in ms. Generous for a machine
 * that keeps up, so that the estimate errs on the high side.
 */
const TRANSIT = 100;

/** Resolution of closings, in ms. */
const STEP = 10;

/** Options for {@linkcode estimatePeak}. */
export interface PeakEstimateOptions {
  /** When each client starts, in ms, ascending. */
  readonly startAt: Float64Array;
  /** Time for which the message of each client is held before the answer, in ms. */
  readonly replyDelay: Float64Array;
  /** The longest delay of an answer that a client still sends after its own ok, in ms. */
  readonly linger: number;
  /** Longest time for which a client stays after its own ok, in ms. */
  readonly stay: number;
  /** Picks the receivers. The relay will pick others. */
  readonly random: Random;
}

/**
 * Estimates the largest number of clients open at the same time.
 *
 * A client is open from its start until its own message has been answered and it holds no other message. The receiver
 * of a message is any open client.
 */
export function estimatePeak(options: PeakEstimateOptions): number {
  const { startAt, replyDelay, linger, stay, random } = options;
  const count = startAt.length;
  const ackAt = new Float64Array(count);
  const holdsUntil = new Float64Array(count);
  const open: number[] = [];
  const place = new Uint32Array(count); // Of each open client, in `open`.
  const closings = new Map<number, number[]>(); // By step.
  let step = 0;
  let peak = 0;

  const closeAt = (client: number): number => {
    const ack = ackAt[client] ?? 0;
    return Math.min(ack + stay, Math.max(ack, holdsUntil[client] ?? 0)) + TRANSIT;
  };
  const schedule = (client: number): void => {
    const due = Math.floor(closeAt(client) / STEP);
    const clients = closings.get(due);
    if (clients) clients.push(client);
    else closings.set(due, [client]);
  };
  const closeUpTo = (now: number): void => {
    for (; step < now; step++) {
      for (const client of closings.get(step) ?? []) {
        if (closeAt(client) >= (step + 1) * STEP) schedule(client); // It received more messages.
        else close(client);
      }
      closings.delete(step);
    }
  };
  const close = (client: number): void => {
    const last = open.pop();
    const hole = place[client] ?? 0;
    if (last === undefined || last === client) return;
    open[hole] = last;
    place[last] = hole;
  };

  for (let client = 0; client < count; client++) {
    const start = startAt[client] ?? 0;
    closeUpTo(Math.floor(start / STEP));
    place[client] = open.push(client) - 1;
    peak = Math.max(peak, open.length);
    const delay = replyDelay[client] ?? 0;
    const answeredAt = start + delay;
    ackAt[client] = answeredAt;
    const receiver = open[Math.floor(random() * open.length)] ?? client;
    const lingers = start > (ackAt[receiver] ?? 0);
    if (!lingers || delay <= linger) holdsUntil[receiver] = Math.max(holdsUntil[receiver] ?? 0, answeredAt);
    schedule(client);
  }
  return peak;
}

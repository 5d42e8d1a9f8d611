/** How many clients a plan has open at once, found by playing it through without sockets. Pure. @module */
import type { Random } from "../../internal/clock.ts";

/**
 * What connecting, travelling and closing add to a client's life beyond the reply delays, in ms: generous for a
 * machine that keeps up, so that the planned peak errs on the high side.
 */
const TRAVEL = 100;

/** Closings are looked at in steps of this many ms; the peak needs no finer grain. */
const STEP = 10;

/** What {@linkcode estimatePeak} plays through. */
export interface PeakEstimateOptions {
  /** When each client starts, in ms, ascending. */
  readonly startAt: Float64Array;
  /** How long the message of each client is held before it is answered, in ms. */
  readonly replyDelay: Float64Array;
  /** The longest delay of an answer that a client still gives after its own ok, in ms. */
  readonly linger: number;
  /** The longest that it stays after its own ok, in ms. */
  readonly stay: number;
  /** Picks the receivers, as the relay will by other draws of its own. */
  readonly random: Random;
}

/**
 * The largest number of clients open at once. Each is open from its start until its own message has been answered,
 * and then until it holds nothing, however much of it came meanwhile; the receiver of each message is any of those
 * open.
 */
export function estimatePeak(options: PeakEstimateOptions): number {
  const { startAt, replyDelay, linger, stay, random } = options;
  const count = startAt.length;
  const ackAt = new Float64Array(count);
  const holdsUntil = new Float64Array(count);
  const open: number[] = [];
  const place = new Uint32Array(count); // of each open client in `open`
  const closings = new Map<number, number[]>(); // by step
  let step = 0;
  let peak = 0;

  const closeAt = (client: number): number => {
    const ack = ackAt[client] ?? 0;
    return Math.min(ack + stay, Math.max(ack, holdsUntil[client] ?? 0)) + TRAVEL;
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
        if (closeAt(client) >= (step + 1) * STEP) schedule(client); // got more to hold meanwhile
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

/** One direction of an in-memory connection: an ordered queue of packets. @module */
import { Deque } from "@std/data-structures/deque";
import type { Address } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";

/** A packet: bytes, or one of the two signals that end the stream. */
export type Packet = Uint8Array | "fin" | "reset";

/** Properties of the path through a {@linkcode MemoryPipe}. */
export interface Travel {
  readonly clock: Clock;
  /** Draws the travel time of one packet in ms. */
  readonly latency: () => number;
  /** Bytes per ms. */
  readonly bandwidth: number;
  /** Whether packets from one address to the other are blocked. */
  readonly cut: (from: Address, to: Address) => boolean;
  /** Pipes that could not deliver because of a partition. */
  readonly waiting: Set<MemoryPipe>;
}

/** Delivers packets in order, and never before their time. */
export class MemoryPipe {
  readonly #travel: Travel;
  readonly #from: Address;
  readonly #to: Address;
  readonly #deliver: (packet: Packet) => void;
  readonly #onWay = new Deque<Packet>();
  /** Packets that were due during a partition. */
  #overdue = 0;
  #lastSent = 0;
  #lastArrival = 0;

  constructor(travel: Travel, ends: { from: Address; to: Address; deliver: (packet: Packet) => void }) {
    this.#travel = travel;
    this.#from = ends.from;
    this.#to = ends.to;
    this.#deliver = ends.deliver;
  }

  put(packet: Packet): void {
    const { clock, latency, bandwidth } = this.#travel;
    const now = clock.now();
    const size = typeof packet === "string" ? 0 : packet.length;
    this.#lastSent = Math.max(now, this.#lastSent) + size / bandwidth;
    this.#lastArrival = Math.max(this.#lastArrival, this.#lastSent + latency());
    this.#onWay.pushBack(packet);
    if (this.#lastArrival > now) clock.after(this.#lastArrival - now, this.#arrive);
    else clock.soon(this.#arrive);
  }

  /** Delivers overdue packets if the path is free. */
  retry(): void {
    const overdue = this.#overdue;
    this.#overdue = 0;
    for (let i = 0; i < overdue; i++) this.#arrive();
  }

  // Each arrival delivers the oldest packet, so the order does not depend on the clock's order of timers.
  readonly #arrive = (): void => {
    if (this.#travel.cut(this.#from, this.#to)) {
      this.#overdue++;
      this.#travel.waiting.add(this);
      return;
    }
    const packet = this.#onWay.popFront();
    if (packet !== undefined) this.#deliver(packet);
  };
}

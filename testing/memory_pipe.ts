/** One direction of a connection in memory: what is on its way, in order. @module */
import { Deque } from "@std/data-structures/deque";
import type { Address } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";

/** What travels: bytes, or one of the two signs that no more will come. */
export type Packet = Uint8Array | "fin" | "reset";

/** How packets travel in a {@linkcode MemoryPipe}. */
export interface Travel {
  readonly clock: Clock;
  /** Draws the time of one packet on its way, ms. */
  readonly latency: () => number;
  /** Bytes a ms that one direction of a connection carries. */
  readonly bandwidth: number;
  /** Whether nothing gets from the one address to the other now. */
  readonly cut: (from: Address, to: Address) => boolean;
  /** Pipes that could not deliver for a cut. */
  readonly waiting: Set<MemoryPipe>;
}

/** Delivers what is put in, in order and never before its time. */
export class MemoryPipe {
  readonly #travel: Travel;
  readonly #from: Address;
  readonly #to: Address;
  readonly #deliver: (packet: Packet) => void;
  readonly #onWay = new Deque<Packet>();
  /** Packets whose time has come while the way was cut. */
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

  /** Delivers what is overdue, now that the way may be free. */
  retry(): void {
    const overdue = this.#overdue;
    this.#overdue = 0;
    for (let i = 0; i < overdue; i++) this.#arrive();
  }

  // Each arrival delivers the oldest packet, whichever it was set for: so order does not hang on the clock's.
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

/** Who takes part in a chat of datagrams: those that have sent something lately. Pure. @module */
import { type Address, formatAddress } from "../../socket/network.ts";

/** Bounds of a {@linkcode DatagramRoom}. */
export interface DatagramRoomOptions {
  readonly maxSenders: number;
  /** Silence in ms after which a sender is forgotten. */
  readonly forgetAfter: number;
}

interface Sender {
  readonly address: Address;
  readonly lastHeard: number;
}

/** Known senders, bounded: an address in a datagram may be forged, and each one known is sent everything. */
export class DatagramRoom {
  readonly #options: DatagramRoomOptions;
  /** The longest silent first. */
  readonly #senders = new Map<string, Sender>();

  constructor(options: DatagramRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#senders.size;
  }

  /** A sender has spoken. Gives all others, or undefined if there is no room for one more. */
  hear(address: Address, now: number): readonly Address[] | undefined {
    this.#forget(now);
    const key = formatAddress(address);
    if (!this.#senders.has(key) && this.#senders.size >= this.#options.maxSenders) return undefined;
    const others = [...this.#senders].filter(([other]) => other !== key).map(([, sender]) => sender.address);
    this.#senders.delete(key);
    this.#senders.set(key, { address, lastHeard: now });
    return others;
  }

  #forget(now: number): void {
    for (const [key, { lastHeard }] of this.#senders) {
      if (now - lastHeard < this.#options.forgetAfter) return;
      this.#senders.delete(key);
    }
  }
}

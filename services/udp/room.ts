/** Who takes part in a chat of datagrams: those that have sent something lately. Pure. @module */
import { type Address, formatAddress } from "../../socket/network.ts";

/** Bounds of a {@linkcode DatagramRoom}. */
export interface DatagramRoomOptions {
  readonly maxSenders: number;
  /** Silence in ms after which a sender is forgotten. */
  readonly forgetAfter: number;
}

/** Who has sent something. */
export interface Sender<Socket> {
  readonly address: Address;
  /** The socket that it sent to: only that one reaches it, and only from there it expects anything. */
  readonly via: Socket;
}

/** Known senders, bounded: an address in a datagram may be forged, and each one known is sent everything. */
export class DatagramRoom<Socket> {
  readonly #options: DatagramRoomOptions;
  /** The longest silent first. */
  readonly #senders = new Map<string, Sender<Socket> & { readonly lastHeard: number }>();

  constructor(options: DatagramRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#senders.size;
  }

  /** A sender has spoken. Gives all others, or undefined if there is no room for one more. */
  hear(sender: Sender<Socket>, now: number): readonly Sender<Socket>[] | undefined {
    this.#forget(now);
    const key = formatAddress(sender.address);
    if (!this.#senders.has(key) && this.#senders.size >= this.#options.maxSenders) return undefined;
    const others = [...this.#senders].filter(([other]) => other !== key).map(([, other]) => other);
    this.#senders.delete(key);
    this.#senders.set(key, { ...sender, lastHeard: now });
    return others;
  }

  #forget(now: number): void {
    for (const [key, { lastHeard }] of this.#senders) {
      if (now - lastHeard < this.#options.forgetAfter) return;
      this.#senders.delete(key);
    }
  }
}

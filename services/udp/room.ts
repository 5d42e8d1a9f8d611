/** Members of a datagram chat: its recent senders. Pure. @module */
import { type Address, formatAddress } from "../../socket/network.ts";

/** Options for {@linkcode DatagramRoom}. */
export interface DatagramRoomOptions {
  /** Limit of senders. */
  readonly maxSenders: number;
  /** Silence in ms after which a sender is removed. */
  readonly forgetAfter: number;
}

/** The sender of a datagram. */
export interface Sender<Socket> {
  readonly address: Address;
  /** The socket that received the datagram. Only this one reaches the sender, whose address family it has. */
  readonly via: Socket;
}

/** The recent senders. Their number is limited, because addresses can be forged, and each member receives everything. */
export class DatagramRoom<Socket> {
  readonly #options: DatagramRoomOptions;
  /** Longest silent first. */
  readonly #senders = new Map<string, Sender<Socket> & { readonly lastHeard: number }>();

  constructor(options: DatagramRoomOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#senders.size;
  }

  /** Adds or renews a sender, and returns all others; undefined if the room is full. */
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

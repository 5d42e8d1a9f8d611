/** The active peers, and chance among them. Pure. @module */
import type { RouterPeer } from "./types.ts";
import { PeerState } from "./peers.ts";

/** The seats of the active peers, each at the slot its peer knows: no map from peers to anything. */
export class PeerList<Peer extends RouterPeer> {
  readonly #seats: PeerState<Peer>[] = [];
  readonly #random: () => number;

  /** @param random Numbers uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#seats.length;
  }

  add(peer: Peer): void {
    peer.slot = this.#seats.push(new PeerState(peer)) - 1;
  }

  /** The seat of an active peer. */
  seatOf(peer: Peer): PeerState<Peer> {
    return this.#seats[peer.slot]!;
  }

  /** Takes the peer out of the active ones, and gives its seat: the last takes its slot. */
  remove(peer: Peer): PeerState<Peer> {
    const seat = this.seatOf(peer);
    const last = this.#seats.pop()!;
    if (last !== seat) {
      this.#seats[peer.slot] = last;
      last.peer.slot = peer.slot;
    }
    peer.slot = -1;
    return seat;
  }

  /** Anyone, each as likely as the other. */
  anyone(): PeerState<Peer> {
    return this.#seats[Math.floor(this.#random() * this.#seats.length)]!;
  }

  /** Someone else, or the same where nobody else is there. */
  anyoneBut(seat: PeerState<Peer>): PeerState<Peer> {
    const others = this.#seats.length - 1;
    if (others === 0) return seat;
    const slot = Math.floor(this.#random() * others);
    return this.#seats[slot < seat.peer.slot ? slot : slot + 1]!;
  }
}

/** A peer's part in what is under way. Pure. @module */
import type { Message } from "./message.ts";

/** A peer's place at the router: what it sent, newest first, and what it has, oldest first. */
export class PeerState<Peer> {
  readonly peer: Peer;
  sent: Message<Peer> | undefined = undefined;
  sentCount = 0;
  held: Message<Peer> | undefined = undefined;
  #lastHeld: Message<Peer> | undefined = undefined;
  /** The number of the last ok it was sent: however often it sent a text, it gets one. */
  lastOk = 0;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  addSent(delivery: Message<Peer>): void {
    const after = this.sent;
    delivery.sentAfter = after;
    if (after !== undefined) after.sentBefore = delivery;
    this.sent = delivery;
    this.sentCount++;
  }

  removeSent(delivery: Message<Peer>): void {
    const { sentBefore: before, sentAfter: after } = delivery;
    if (before === undefined) this.sent = after;
    else before.sentAfter = after;
    if (after !== undefined) after.sentBefore = before;
    delivery.sentBefore = delivery.sentAfter = undefined;
    this.sentCount--;
  }

  addHeld(delivery: Message<Peer>): void {
    const before = this.#lastHeld;
    delivery.holder = this;
    delivery.heldBefore = before;
    if (before === undefined) this.held = delivery;
    else before.heldAfter = delivery;
    this.#lastHeld = delivery;
  }

  removeHeld(delivery: Message<Peer>): void {
    const { heldBefore: before, heldAfter: after } = delivery;
    if (before === undefined) this.held = after;
    else before.heldAfter = after;
    if (after === undefined) this.#lastHeld = before;
    else after.heldBefore = before;
    delivery.heldBefore = delivery.heldAfter = undefined;
    delivery.holder = undefined;
  }

  /** Whether it was given the text of a ring's delivery. Looks through the shorter of the ring and what it holds. */
  holds(delivery: Message<Peer>): boolean {
    let [other, held] = [delivery, this.held];
    while (held !== undefined) {
      if (other.holder === this || held.hash === delivery.hash && held.text === delivery.text) return true;
      other = other.next;
      if (other === delivery) return false;
      held = held.heldAfter;
    }
    return false;
  }
}

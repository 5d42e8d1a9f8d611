/** A peer of a router, with its messages. Pure. @module */
import { type Message, TEXT_START } from "./message.ts";

/** A peer, as the router sees it. */
export type Routed<Peer> = Peer & RouterPeer<Peer>;

/**
 * The base class of the peers of a router: the messages that a peer sent, newest first, and those it holds, oldest first.
 * The router changes it. It is not an object beside the peer, because with thousands of peers each object that a message
 * needs is out of the processor's cache.
 */
export class RouterPeer<Peer> {
  /** The place among the active peers; -1 before the peer joins. */
  slot: number = -1;
  /** Connections behind a node, or -1 if the peer is a connection itself. */
  connections: number = -1;
  /**
   * The first of the messages that it sent.
   *
   * @internal
   */
  sent: Message<Peer> | undefined = undefined;
  /** Number of messages that it sent. */
  sentCount: number = 0;
  /**
   * The first of the messages that it holds.
   *
   * @internal
   */
  held: Message<Peer> | undefined = undefined;
  #lastHeld: Message<Peer> | undefined = undefined;
  /** Number of the last ok sent to this peer: it gets one, however often it sent a text. */
  lastOk: number = 0;

  /**
   * Prepares a peer that joins, possibly after it has left another router.
   *
   * @internal
   */
  reset(connections: number): void {
    this.connections = connections;
    this.lastOk = 0;
  }

  /** Whether the peer is another node of a cluster. */
  get isNode(): boolean {
    return this.connections >= 0;
  }

  /**
   * Adds a message that this peer sent.
   *
   * @internal
   */
  addSent(message: Message<Peer>): void {
    const after = this.sent;
    message.sentAfter = after;
    if (after !== undefined) after.sentBefore = message;
    this.sent = message;
    this.sentCount++;
  }

  /**
   * Removes a message that this peer sent.
   *
   * @internal
   */
  removeSent(message: Message<Peer>): void {
    const { sentBefore: before, sentAfter: after } = message;
    if (before === undefined) this.sent = after;
    else before.sentAfter = after;
    if (after !== undefined) after.sentBefore = before;
    message.sentBefore = message.sentAfter = undefined;
    this.sentCount--;
  }

  /**
   * Makes this peer the holder of a message.
   *
   * @internal
   */
  addHeld(this: Routed<Peer>, message: Message<Peer>): void {
    const before = this.#lastHeld;
    message.holder = this;
    message.heldBefore = before;
    if (before === undefined) this.held = message;
    else before.heldAfter = message;
    this.#lastHeld = message;
  }

  /**
   * Takes a message away from this peer, its holder.
   *
   * @internal
   */
  removeHeld(message: Message<Peer>): void {
    const { heldBefore: before, heldAfter: after } = message;
    if (before === undefined) this.held = after;
    else before.heldAfter = after;
    if (after === undefined) this.#lastHeld = before;
    else after.heldBefore = before;
    message.heldBefore = message.heldAfter = undefined;
    message.holder = undefined;
  }

  /**
   * Whether this peer holds the text of a message, in any message of its ring. Searches the shorter of the ring and
   * the messages held.
   *
   * @internal
   */
  holds(this: Routed<Peer>, message: Message<Peer>): boolean {
    let [other, held] = [message, this.held];
    while (held !== undefined) {
      if (other.holder === this || held.hash === message.hash && held.isText(message, TEXT_START)) {
        return true;
      }
      other = other.next;
      if (other === message) return false;
      held = held.heldAfter;
    }
    return false;
  }
}

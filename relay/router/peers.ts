/** The peers of a router: connections, and other nodes of a cluster that stand for theirs. Pure. @module */
import { type Message, TEXT_START } from "./message.ts";
import type { RouterPeer } from "./types.ts";

// Slots of connections count up from 0, those of nodes down from here; -1 is a peer that has not joined.
const FIRST_NODE_SLOT = -2;

/** The state of a peer: the messages it sent, newest first, and those it holds, oldest first. */
export class PeerState<Peer> {
  readonly peer: Peer;
  /** Connections behind a node, or -1 if the peer is a connection itself. */
  connections: number;
  sent: Message<Peer> | undefined = undefined;
  sentCount = 0;
  held: Message<Peer> | undefined = undefined;
  #lastHeld: Message<Peer> | undefined = undefined;
  /** Number of the last ok sent to this peer: it gets one, however often it sent a text. */
  lastOk = 0;

  constructor(peer: Peer, connections = -1) {
    this.peer = peer;
    this.connections = connections;
  }

  /** Whether the peer is another node of a cluster. */
  get isNode(): boolean {
    return this.connections >= 0;
  }

  /** Adds a message that this peer sent. */
  addSent(message: Message<Peer>): void {
    const after = this.sent;
    message.sentAfter = after;
    if (after !== undefined) after.sentBefore = message;
    this.sent = message;
    this.sentCount++;
  }

  /** Removes a message that this peer sent. */
  removeSent(message: Message<Peer>): void {
    const { sentBefore: before, sentAfter: after } = message;
    if (before === undefined) this.sent = after;
    else before.sentAfter = after;
    if (after !== undefined) after.sentBefore = before;
    message.sentBefore = message.sentAfter = undefined;
    this.sentCount--;
  }

  /** Makes this peer the holder of a message. */
  addHeld(message: Message<Peer>): void {
    const before = this.#lastHeld;
    message.holder = this;
    message.heldBefore = before;
    if (before === undefined) this.held = message;
    else before.heldAfter = message;
    this.#lastHeld = message;
  }

  /** Takes a message away from this peer, its holder. */
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
   */
  holds(message: Message<Peer>): boolean {
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

/** The active peers. Each knows its slot here, so that no map from peers to their state is needed. */
export class PeerList<Peer extends RouterPeer> {
  readonly #connections: PeerState<Peer>[] = [];
  readonly #nodes: PeerState<Peer>[] = [];
  /** Connections behind all nodes together. */
  #remote = 0;
  readonly #random: () => number;

  /** @param random Returns numbers uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Number of connections, without nodes. */
  get size(): number {
    return this.#connections.length;
  }

  /** Number of nodes. */
  get nodes(): number {
    return this.#nodes.length;
  }

  /** States of all connections, without nodes. */
  get connections(): readonly PeerState<Peer>[] {
    return this.#connections;
  }

  /** Adds a connection. */
  add(peer: Peer): void {
    peer.slot = this.#connections.push(new PeerState(peer)) - 1;
  }

  /** Adds a node that stands for a number of connections. */
  addNode(peer: Peer, connections: number): void {
    peer.slot = FIRST_NODE_SLOT - (this.#nodes.push(new PeerState(peer, connections)) - 1);
    this.#remote += connections;
  }

  /** Changes the number of connections that a node stands for. */
  weigh(peer: Peer, connections: number): void {
    const state = this.stateOf(peer);
    this.#remote += connections - state.connections;
    state.connections = connections;
  }

  /** Returns the state of an active peer. */
  stateOf(peer: Peer): PeerState<Peer> {
    const { slot } = peer;
    return slot >= 0 ? this.#connections[slot]! : this.#nodes[FIRST_NODE_SLOT - slot]!;
  }

  /** Removes a peer and returns its state. The last peer of its kind takes the slot. */
  remove(peer: Peer): PeerState<Peer> {
    const state = this.stateOf(peer);
    if (state.isNode) this.#remote -= state.connections;
    const list = state.isNode ? this.#nodes : this.#connections;
    const last = list.pop()!;
    if (last !== state) {
      list[state.isNode ? FIRST_NODE_SLOT - peer.slot : peer.slot] = last;
      last.peer.slot = peer.slot;
    }
    peer.slot = -1;
    return state;
  }

  /**
   * Returns a receiver, every connection of the cluster being equally likely: this node's own, or a node in place of one
   * of its connections. `undefined` if there is none.
   */
  any(): PeerState<Peer> | undefined {
    if (this.#connections.length + this.#remote === 0) return undefined;
    const index = Math.floor(this.#random() * (this.#connections.length + this.#remote));
    return this.#connections[index] ?? this.#nodeAt(index - this.#connections.length, undefined);
  }

  /**
   * Returns a receiver as {@linkcode PeerList.any} does, but not `peer`: unless it is the only connection, and never a node.
   */
  anyBut(peer: PeerState<Peer>): PeerState<Peer> | undefined {
    if (!peer.isNode) {
      const others = this.#connections.length - 1 + this.#remote;
      if (others === 0) return peer;
      const index = Math.floor(this.#random() * others);
      const local = index < peer.peer.slot ? index : index + 1;
      return this.#connections[local] ?? this.#nodeAt(local - this.#connections.length, undefined);
    }
    const others = this.#connections.length + this.#remote - peer.connections;
    if (others === 0) return undefined;
    const index = Math.floor(this.#random() * others);
    return this.#connections[index] ?? this.#nodeAt(index - this.#connections.length, peer);
  }

  /** Returns a connection of this node, each equally likely, or `undefined` if there is none. */
  anyConnection(): PeerState<Peer> | undefined {
    return this.#connections[Math.floor(this.#random() * this.#connections.length)];
  }

  /** Returns the node with a connection of this number, counting through all nodes but one. */
  #nodeAt(index: number, except: PeerState<Peer> | undefined): PeerState<Peer> {
    let left = index;
    for (const node of this.#nodes) {
      if (node === except) continue;
      left -= node.connections;
      if (left < 0) return node;
    }
    throw new RangeError(`Cannot choose connection ${index}: the nodes have ${this.#remote}`);
  }
}

/** The active peers of a router: connections, and other nodes of a cluster that stand for theirs. Pure. @module */
import type { RouterPeer } from "./router_peer.ts";

// Slots of connections count up from 0, those of nodes down from here; -1 is a peer that has not joined.
const FIRST_NODE_SLOT = -2;

/** The active peers. Each knows its slot here. */
export class PeerList<Peer extends RouterPeer<Peer>> {
  readonly #connections: Peer[] = [];
  readonly #nodes: Peer[] = [];
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

  /** All connections, without nodes. */
  get connections(): readonly Peer[] {
    return this.#connections;
  }

  /**
   * Adds a connection.
   *
   * @throws {TypeError} If the peer is active.
   */
  add(peer: Peer): void {
    assertInactive(peer);
    peer.reset(-1);
    peer.slot = this.#connections.push(peer) - 1;
  }

  /**
   * Adds a node that stands for a number of connections.
   *
   * @throws {TypeError} If the peer is active.
   */
  addNode(peer: Peer, connections: number): void {
    assertInactive(peer);
    peer.reset(connections);
    peer.slot = FIRST_NODE_SLOT - (this.#nodes.push(peer) - 1);
    this.#remote += connections;
  }

  /**
   * Changes the number of connections that a node stands for.
   *
   * @throws {TypeError} If the peer is not an active node.
   */
  weigh(peer: Peer, connections: number): void {
    if (this.#nodes[nodeIndex(peer)] !== peer) {
      throw new TypeError("Cannot weigh the peer: expected a node that has joined and not left");
    }
    this.#remote += connections - peer.connections;
    peer.connections = connections;
  }

  /**
   * Removes a peer. The last peer of its kind takes the slot.
   *
   * @throws {TypeError} If the peer is not active here.
   */
  remove(peer: Peer): void {
    const list = peer.isNode ? this.#nodes : this.#connections;
    const index = peer.isNode ? nodeIndex(peer) : peer.slot;
    if (list[index] !== peer) {
      throw new TypeError("Cannot remove the peer: expected one that has joined and not left");
    }
    if (peer.isNode) this.#remote -= peer.connections;
    const last = list.pop()!;
    if (last !== peer) {
      list[index] = last;
      last.slot = peer.slot;
    }
    peer.slot = -1;
  }

  /**
   * Returns a receiver, every connection of the cluster being equally likely: this node's own, or a node in place of one
   * of its connections. `undefined` if there is none.
   */
  any(): Peer | undefined {
    if (this.#connections.length + this.#remote === 0) return undefined;
    const index = Math.floor(this.#random() * (this.#connections.length + this.#remote));
    return this.#connections[index] ?? this.#nodeAt(index - this.#connections.length, undefined);
  }

  /**
   * Returns a receiver as {@linkcode PeerList.any} does, but not `peer`: unless it is the only connection, and never a node.
   */
  anyBut(peer: Peer): Peer | undefined {
    if (!peer.isNode) {
      const others = this.#connections.length - 1 + this.#remote;
      if (others === 0) return peer;
      const index = Math.floor(this.#random() * others);
      const local = index < peer.slot ? index : index + 1;
      return this.#connections[local] ?? this.#nodeAt(local - this.#connections.length, undefined);
    }
    const others = this.#connections.length + this.#remote - peer.connections;
    if (others === 0) return undefined;
    const index = Math.floor(this.#random() * others);
    return this.#connections[index] ?? this.#nodeAt(index - this.#connections.length, peer);
  }

  /** Returns a connection of this node, each equally likely, or `undefined` if there is none. */
  anyConnection(): Peer | undefined {
    return this.#connections[Math.floor(this.#random() * this.#connections.length)];
  }

  /** Returns the node with a connection of this number, counting through all nodes but one. */
  #nodeAt(index: number, except: Peer | undefined): Peer {
    let left = index;
    for (const node of this.#nodes) {
      if (node === except) continue;
      left -= node.connections;
      if (left < 0) return node;
    }
    throw new RangeError(`Cannot choose connection ${index}: the nodes have ${this.#remote}`);
  }
}

/** Returns the place of a node among the nodes; negative for other peers. */
function nodeIndex<Peer extends RouterPeer<Peer>>({ slot }: Peer): number {
  return FIRST_NODE_SLOT - slot;
}

function assertInactive<Peer extends RouterPeer<Peer>>({ slot }: Peer): void {
  if (slot !== -1) throw new TypeError("Cannot add the peer: it has joined already");
}

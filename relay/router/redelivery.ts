/** Redelivery: which peer gets a message that its holder cannot answer, and what happens if there is none. Pure. @module */
import { Line } from "../../socket/codecs/line.ts";
import type { InFlightLimit } from "./limits.ts";
import type { Message } from "./message.ts";
import type { MessageStore } from "./message_store.ts";
import type { PeerList } from "./peers.ts";
import type { RouterPeer } from "./router_peer.ts";
import type { Sink } from "./types.ts";

/** Between nodes: the message comes back, because no connection of the node can take it. */
export const RETURN = "return ";

/** Options for {@linkcode Redelivery}: the parts of its router. */
export interface RedeliveryOptions<Peer extends RouterPeer<Peer>> {
  readonly peers: PeerList<Peer>;
  readonly store: MessageStore<Peer>;
  readonly inFlight: InFlightLimit;
  /** Whether messages go to another peer when their holder leaves. */
  readonly redelivers: boolean;
}

/** Moves messages from one holder to another. Counts those that it moves, returns, and drops. */
export class Redelivery<Peer extends RouterPeer<Peer>> {
  readonly #peers: PeerList<Peer>;
  readonly #store: MessageStore<Peer>;
  readonly #inFlight: InFlightLimit;
  readonly #redelivers: boolean;
  readonly #counts = { redelivered: 0, returned: 0, dropped: 0 };

  constructor({ peers, store, inFlight, redelivers }: RedeliveryOptions<Peer>) {
    this.#peers = peers;
    this.#store = store;
    this.#inFlight = inFlight;
    this.#redelivers = redelivers;
  }

  /** Returns the counters. */
  counts(): Readonly<Record<"redelivered" | "returned" | "dropped", number>> {
    return this.#counts;
  }

  /** Redelivers every message whose time has passed. Returns the time of the next one, or `undefined` if there is none. */
  expire(now: number, out: Sink<Peer>): number | undefined {
    let message = this.#store.firstDue;
    while (message !== undefined && message.due <= now) {
      const holder = message.holder!; // A message has a time only while a peer holds it.
      const other = this.#peers.anyBut(holder) ?? holder;
      holder.removeHeld(message);
      if (other !== holder) this.#store.remember(message, holder);
      this.#redeliver(message, other, now, out);
      message = this.#store.firstDue;
    }
    return message?.due;
  }

  /** Gives the messages that a peer holds to others. */
  handOver(peer: Peer, now: number, out: Sink<Peer>): void {
    for (let message = peer.held; message !== undefined; message = peer.held) {
      if (message.origin === undefined) {
        this.#store.remove(message, out);
        continue;
      }
      peer.removeHeld(message);
      if (this.#redelivers) this.#reassign(message, message.origin, now, out);
    }
  }

  /** Gives messages that a node has returned to other peers. */
  takeBack(messages: readonly Message<Peer>[], node: Peer, now: number, out: Sink<Peer>): void {
    for (const message of messages) {
      node.removeHeld(message);
      this.#redeliver(message, this.#peers.anyBut(node), now, out);
    }
  }

  /** Returns a message to the node that it came from. */
  sendBack(origin: Peer, text: string, out: Sink<Peer>): void {
    this.#counts.returned++;
    out(origin, Line.of(RETURN + text));
  }

  /** Removes a message that its origin does not wait for anymore, and counts it if its text was dropped with it. */
  withdraw(message: Message<Peer>, out: Sink<Peer>): void {
    if (this.#store.withdraw(message, out)) this.#counts.dropped++;
  }

  /** Returns a connection for a message of another node, or `undefined` if there is none, or this node drains. */
  receiverForNode(): Peer | undefined {
    return this.#inFlight.closed ? undefined : this.#peers.anyConnection();
  }

  /** Gives a message to another peer; one of a node goes back to it if no connection of this node can take it. */
  #reassign(message: Message<Peer>, origin: Peer, now: number, out: Sink<Peer>): void {
    const holder = origin.isNode ? this.receiverForNode() : this.#peers.any();
    if (holder === undefined && origin.isNode) {
      this.sendBack(origin, message.key(), out);
      this.#store.withdraw(message, out);
    } else {
      this.#redeliver(message, holder, now, out);
    }
  }

  /** Redelivers a message, or drops it if no receiver is left, because its origin has half-closed. */
  #redeliver(
    message: Message<Peer>,
    holder: Peer | undefined,
    now: number,
    out: Sink<Peer>,
  ): void {
    if (holder === undefined) return this.withdraw(message, out);
    this.#counts.redelivered++;
    this.#store.reassign(message, holder, now);
    out(holder, message);
  }
}

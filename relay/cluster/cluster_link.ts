/** The link between a relay's router and the other nodes of its cluster. @module */
import type { Clock } from "../../internal/clock.ts";
import { Line } from "../../socket/codecs/line.ts";
import { type Router, RouterPeer, type Sink } from "../router/router.ts";
import type { Bus } from "./bus.ts";
import { Membership, type MembershipStats, type Node } from "./membership.ts";

/** A peer that can be sent a line: a connection of this node, or another node. */
export abstract class RelayPeer extends RouterPeer<RelayPeer> {
  /** Queues a line, which it copies. */
  abstract send(line: Line): void;
}

/** Options for {@linkcode ClusterLink}. */
export interface ClusterLinkOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Time between heartbeats in ms. Default 1,000. */
  readonly heartbeat?: number | undefined;
  readonly router: Router<RelayPeer>;
  readonly out: Sink<RelayPeer>;
  /** Called after each change of what the router holds. */
  readonly onChange: () => void;
}

class NodePeer extends RelayPeer {
  readonly #id: string;
  readonly #membership: Membership;

  constructor(id: string, membership: Membership) {
    super();
    this.#id = id;
    this.#membership = membership;
  }

  send(line: Line): void {
    this.#membership.send(this.#id, line.text());
  }
}

/** Makes the other nodes peers of a router: each stands for its connections, and lines travel over a bus. */
export class ClusterLink {
  readonly #options: ClusterLinkOptions;
  readonly #membership: Membership;
  readonly #peers = new Map<string, NodePeer>();

  constructor(options: ClusterLinkOptions) {
    const { bus, clock, heartbeat } = options;
    this.#options = options;
    this.#membership = new Membership({
      bus,
      clock,
      heartbeat,
      onJoin: (node) => this.#join(node),
      onCount: (node) => this.#weigh(node),
      onLines: (node, lines) => this.#lines(node, lines),
      onLeave: (node) => this.#leave(node),
    });
  }

  /** Connects to the bus and announces this node. Rejects if the bus cannot be reached. */
  async start(): Promise<void> {
    await this.#membership.start();
  }

  /** Sets how many connections of this node take messages; 0 while it drains. */
  announce(connections: number): void {
    this.#membership.announce(connections);
  }

  /** Returns the counters of the bus. */
  stats(): MembershipStats {
    return this.#membership.stats();
  }

  /** Sends what is queued for other nodes, and leaves the cluster. */
  async close(): Promise<void> {
    await this.#membership.close();
    const { router, clock, out, onChange } = this.#options;
    for (const peer of this.#peers.values()) router.leave(peer, clock.now(), out);
    this.#peers.clear();
    onChange();
  }

  #join(node: Node): void {
    const peer = new NodePeer(node.id, this.#membership);
    this.#peers.set(node.id, peer);
    this.#options.router.joinNode(peer, node.connections);
    this.#options.onChange();
  }

  #weigh(node: Node): void {
    this.#options.router.weigh(this.#peers.get(node.id)!, node.connections);
  }

  #lines(node: Node, lines: readonly string[]): void {
    const { router, clock, out, onChange } = this.#options;
    const peer = this.#peers.get(node.id)!;
    const now = clock.now();
    for (const line of lines) router.nodeLine(peer, Line.of(line), now, out);
    onChange();
  }

  #leave(node: Node): void {
    const { router, clock, out, onChange } = this.#options;
    router.leave(this.#peers.get(node.id)!, clock.now(), out);
    this.#peers.delete(node.id);
    onChange();
  }
}

/** The messages between the nodes of a cluster: the interface that every kind of bus implements. Pure. @module */

/** A condition of a {@linkcode Bus}. */
export type BusStatus = "connecting" | "connected" | "disconnected" | "closed";

/**
 * A way for nodes to send each other messages. A bus promises nothing: it may drop, duplicate, delay, or reorder
 * messages. Membership and the router's ack timeout repair that.
 */
export interface Bus {
  /** Id of this node, unique in the cluster and for each start of a process: letters, digits, and hyphens. */
  readonly node: string;
  /** Largest message in UTF-8 bytes. */
  readonly maxMessage: number;
  /** Whether messages have a chance to arrive at present. */
  readonly status: BusStatus;
  /**
   * Receives messages for this node. Set once, before {@linkcode Bus.connect}.
   *
   * @param onMessage Called with each message.
   * @param onStatus Called after each change of `status`.
   */
  receive(onMessage: (message: string) => void, onStatus: () => void): void;
  /** Connects; from then on the bus reconnects by itself until it is closed. Rejects if the first attempt fails. */
  connect(): Promise<void>;
  /**
   * Sends a message to one node.
   *
   * @returns `false` if the bus dropped it at once: disconnected, or too much is queued.
   */
  send(node: string, message: string): boolean;
  /** Sends a message to every other node. Returns as {@linkcode Bus.send} does. */
  publish(message: string): boolean;
  /** Sends what is queued, as far as that is possible, and disconnects. */
  close(): Promise<void>;
}

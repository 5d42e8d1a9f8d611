/** The messages between the nodes of a cluster: the interface that every kind of bus implements. Pure. @module */

/** A condition of a {@linkcode Bus}. */
export type BusStatus = "connecting" | "connected" | "disconnected" | "closed";

/** Functions that a {@linkcode Bus} calls. */
export interface BusHandlers {
  /** Called with each message. */
  readonly onMessage: (message: string) => void;
  /** Called after each change of `status`. */
  readonly onStatus: () => void;
  /**
   * Called when the bus knows that a node has died, or that messages between the two are lost. Messages that arrive from it
   * later show that it lives. A bus that cannot know leaves that to missed heartbeats.
   */
  readonly onGone: (node: string) => void;
}

/**
 * A way for nodes to send each other messages. A bus promises nothing: it may drop, duplicate, delay, or reorder
 * messages. Membership and the router's ack timeout repair that.
 */
export interface Bus {
  /** Id of this node, unique in the cluster and for each start of a process: letters, digits, and hyphens. */
  readonly node: string;
  /** Largest message in UTF-8 bytes. */
  readonly maxMessage: number;
  /**
   * Whether {@linkcode BusHandlers.onGone} reports every death immediately. A silent node is then taken for one that hangs,
   * or that gets no processor time, and is given more time.
   */
  readonly noticesDeath: boolean;
  /** Whether messages have a chance to arrive at present. */
  readonly status: BusStatus;
  /** Sets what is called for this node; once, before {@linkcode Bus.connect}. */
  receive(handlers: BusHandlers): void;
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

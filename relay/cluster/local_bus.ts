/** A bus between the processes of one host: each connects to every other through a Unix socket. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { lengthPrefixCodec } from "../../socket/codecs/length_prefix_codec.ts";
import { listen, type Listener } from "../../socket/listen.ts";
import { type Network, unixAddress } from "../../socket/network.ts";
import { removeStaleSocket, systemClock, systemNetwork } from "../../socket/tcp.ts";
import { TaskSet } from "../../internal/task_set.ts";
import type { Bus, BusHandlers, BusStatus } from "./bus.ts";

/** Options for {@linkcode LocalBus}. */
export interface LocalBusOptions {
  /** Id of this node; see {@linkcode Bus.node}. */
  readonly node: string;
  /** Folder for the sockets, the same for all nodes; only its owner may use it. It is created if it does not exist. */
  readonly folder: string;
  /** Default: the system's. */
  readonly network?: Network;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Receives an error of what a message causes, which costs this node its link. Default: as for `listen`. */
  readonly onError?: (error: Error) => void;
}

const MAX_MESSAGE = 1024 * 1024;
// A process that does not read for as long as this takes to fill is as good as dead.
const WRITE_BUFFER = 16 * MAX_MESSAGE;
/** Time in ms to wait for the answer of a node before joining without it. Its link is used once it answers. */
const ANSWER_TIMEOUT = 2000;
/** Time in ms before connecting again to a node whose links broke. */
const REDIAL_WAIT = 250;
/** Longest wait in ms for a node to close its end: one that hangs must not delay the end of this one. */
const CLOSE_TIMEOUT = 1000;
const SUFFIX = ".sock";
const NODE = /^[A-Za-z0-9-]{1,64}$/;

type Link = Connection<Uint8Array>;

/**
 * A mesh of Unix sockets. A node listens in the folder, then connects to every node it finds there; later nodes connect to
 * it. A link that breaks means that its process has died, or that it fell too far behind: a node that still listens is
 * connected to again. Needs no broker and no parent, and messages take one hop.
 */
export class LocalBus implements Bus {
  readonly node: string;
  readonly maxMessage: number = MAX_MESSAGE;
  /** The socket of a process that dies is closed. */
  readonly noticesDeath = true;
  readonly #options: LocalBusOptions;
  readonly #codec = lengthPrefixCodec({ maxFrame: MAX_MESSAGE });
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  readonly #links = new Map<string, Link[]>();
  readonly #readers = new TaskSet();
  /** Links to nodes that have not answered. */
  readonly #unanswered = new Set<Link>();
  readonly #redials = new Map<string, Timer>();
  #handlers: BusHandlers | undefined;
  #listener: Listener<Uint8Array> | undefined;
  #status: BusStatus = "connecting";

  /** Creates a bus that has not joined yet. */
  constructor(options: LocalBusOptions) {
    this.node = options.node;
    this.#options = options;
  }

  /** Whether this node has joined the mesh. */
  get status(): BusStatus {
    return this.#status;
  }

  /** Sets what is called for this node. */
  receive(handlers: BusHandlers): void {
    this.#handlers = handlers;
  }

  /** Listens, and connects to all nodes that are there. */
  async connect(): Promise<void> {
    const { folder, network = systemNetwork, clock = systemClock, onError } = this.#options;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    // Listening comes first: of two nodes that start together, at least one finds the other.
    this.#listener = listen({
      hostnames: [this.#hostname(this.node)],
      codec: this.#codec,
      network,
      clock,
      limits: { writeBuffer: WRITE_BUFFER },
      timeouts: { drain: CLOSE_TIMEOUT },
      ...(onError && { onError }),
    });
    void this.#listener.serve((link) => this.#serve(link));
    for await (const { name } of Deno.readDir(folder)) {
      const node = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : this.node;
      if (node !== this.node) await this.#dial(node);
    }
    if (this.#status === "connecting") this.#become("connected");
  }

  /** Sends a message to one node. */
  send(node: string, message: string): boolean {
    return this.#send(this.#links.get(node), this.#encoder.encode(message));
  }

  /** Sends a message to every other node. */
  publish(message: string): boolean {
    const bytes = this.#encoder.encode(message);
    let sent = true;
    for (const links of this.#links.values()) sent = this.#send(links, bytes) && sent;
    return sent;
  }

  /** Sends what is queued, and closes all links. */
  async close(): Promise<void> {
    if (this.#status === "closed") return;
    this.#become("closed");
    for (const timer of this.#redials.values()) timer.cancel();
    this.#redials.clear();
    for (const link of this.#unanswered) link.abort();
    const links = [...this.#links.values()].flat();
    await Promise.all(links.map((link) => link.close()));
    await this.#listener?.close();
    await this.#readers.allSettled();
  }

  #hostname(node: string): string {
    return unixAddress(`${this.#options.folder}/${node}${SUFFIX}`).hostname;
  }

  /** Connects to a node. Returns after its answer, or without it after a while. Does nothing if its process is dead. */
  async #dial(node: string): Promise<void> {
    const { network = systemNetwork, clock = systemClock } = this.#options;
    const hostname = this.#hostname(node);
    let link: Link;
    try {
      link = await connect({
        hostname,
        port: 0,
        codec: this.#codec,
        network,
        clock,
        limits: { writeBuffer: WRITE_BUFFER },
        timeouts: { drain: CLOSE_TIMEOUT },
      });
    } catch {
      await removeStaleSocket(hostname); // Throws if the file is more than what a dead process left.
      return;
    }
    if (this.#status === "closed") return link.abort();
    link.send(this.#encoder.encode(this.node));
    const answered = Promise.withResolvers<void>();
    const timer = clock.after(ANSWER_TIMEOUT, () => answered.resolve());
    this.#readers.add(this.#follow(node, link, () => answered.resolve()));
    await answered.promise;
    timer.cancel();
  }

  /** Connects again to a node, unless it has connected to this one. */
  #redialLater(node: string): void {
    if (this.#status === "closed" || this.#redials.has(node)) return;
    const { clock = systemClock } = this.#options;
    const redial = async (): Promise<void> => {
      this.#redials.delete(node);
      if (this.#links.has(node)) return;
      try {
        await this.#dial(node);
      } catch {
        this.#redialLater(node); // It cannot be connected to now, as when its queue is full because it hangs.
      }
    };
    this.#redials.set(node, clock.after(REDIAL_WAIT, () => this.#readers.add(redial())));
  }

  /** Serves a node that this one has connected to. */
  async #follow(node: string, link: Link, answered: () => void): Promise<void> {
    const { onError } = this.#options;
    this.#unanswered.add(link);
    try {
      const batches = link.batches();
      const { value: frames } = await batches.next();
      this.#unanswered.delete(link);
      if (frames === undefined) return this.#redialLater(node);
      const reading = this.#read(node, link, { first: frames.slice(1), batches });
      answered();
      await reading;
    } catch (error) {
      if (onError === undefined || !(error instanceof Error)) throw error;
      onError(error);
    } finally {
      this.#unanswered.delete(link);
      answered();
    }
  }

  /** Serves a node that connected to this one. The first frame of each is its id; the answer shows that this end is served. */
  async #serve(link: Link): Promise<void> {
    const batches = link.batches();
    const { value: frames } = await batches.next();
    if (frames === undefined) return;
    const [id, ...first] = frames;
    const node = this.#decoder.decode(id);
    if (!NODE.test(node)) {
      link.abort(); // Not a node. Its id would be used as a file name.
      return;
    }
    link.send(this.#encoder.encode(this.node));
    await this.#read(node, link, { first, batches });
  }

  async #read(
    node: string,
    link: Link,
    { first, batches }: {
      readonly first: readonly Uint8Array[];
      readonly batches: AsyncIterable<readonly Uint8Array[]>;
    },
  ): Promise<void> {
    this.#add(node, link);
    try {
      for (const frame of first) this.#receive(frame);
      for await (const frames of batches) {
        for (const frame of frames) this.#receive(frame);
      }
    } finally {
      this.#remove(node, link);
      if (link.open) await link.close();
    }
  }

  #receive(frame: Uint8Array): void {
    this.#handlers?.onMessage(this.#decoder.decode(frame));
  }

  #add(node: string, link: Link): void {
    const links = this.#links.get(node);
    if (links === undefined) this.#links.set(node, [link]);
    else links.push(link); // Both nodes have connected to each other.
  }

  #remove(node: string, link: Link): void {
    const rest = this.#links.get(node)?.filter((other) => other !== link) ?? [];
    if (rest.length > 0) {
      this.#links.set(node, rest);
    } else {
      this.#links.delete(node);
      if (this.#status === "closed") return;
      this.#handlers?.onGone(node);
      this.#redialLater(node);
    }
  }

  #send(links: readonly Link[] | undefined, bytes: Uint8Array): boolean {
    const link = links?.find(({ open }) => open);
    // `false` only means that the node falls behind; the frame is queued up to the write buffer.
    link?.send(bytes);
    return link !== undefined;
  }

  #become(status: BusStatus): void {
    this.#status = status;
    this.#handlers?.onStatus();
  }
}

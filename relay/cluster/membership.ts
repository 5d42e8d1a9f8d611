/** The nodes of a cluster: their liveness, their connection counts, and batches of lines between them. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import type { Bus } from "./bus.ts";
import { decodeEnvelope, encodeEnvelope, type Envelope } from "./envelope.ts";
import { SequenceWindow } from "./sequence_window.ts";

/** Time in ms between two heartbeats of a node. */
export const HEARTBEAT = 1000;
// Two lost heartbeats and a late one.
const MISSED_HEARTBEATS = 3.5;
// Where deaths are noticed otherwise. Redelivering all that a node holds, because it was out of processor time, doubles the
// load of a host that is overloaded already. What a hanging node holds is redelivered after the ack timeout.
const MISSED_BY_HANGING = 30;
// Counts change with every connection. Announcing each change would cost more than the relaying; a count that is
// at most this old, in ms, shifts the choice of receivers by the connections that came and went within it.
const ANNOUNCE_INTERVAL = 50;
// Ids are per process start, so this is a thousand restarts. A message of an older one only adds it until it is silent.
const MAX_GONE = 1000;
// Room for the header in a message, in bytes.
const HEADER = 128;

/** Another node of the cluster. */
export interface Node {
  readonly id: string;
  /** Connections it can choose from, as last announced; 0 while it drains. */
  readonly connections: number;
}

/** The reason why a node left: it said so, it died or its link broke, it missed its heartbeats, or this node lost the bus. */
export type LeaveReason = "bye" | "died" | "silent" | "bus-lost";

/** Options for {@linkcode Membership}. */
export interface MembershipOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Time between heartbeats in ms, the same on every node. Default 1,000. */
  readonly heartbeat?: number | undefined;
  /** Called for a new node. */
  readonly onJoin: (node: Node) => void;
  /** Called when a node's number of connections has changed. */
  readonly onCount: (node: Node) => void;
  /** Called with the lines of one message from a node. */
  readonly onLines: (node: Node, lines: readonly string[]) => void;
  /** Called when a node has left. Lines sent to it may be lost. */
  readonly onLeave: (node: Node, reason: LeaveReason) => void;
}

/** Counters of a {@linkcode Membership}. */
export interface MembershipStats {
  /** Whether the bus is connected. */
  readonly connected: boolean;
  /** Nodes besides this one. */
  readonly nodes: number;
  /** Messages sent to nodes, and received from them. */
  readonly sent: number;
  /** Messages received from other nodes. */
  readonly received: number;
  /** Lines in them. */
  readonly linesOut: number;
  /** Lines received from other nodes. */
  readonly linesIn: number;
  /** Lines that the bus dropped, or that are too long for it. */
  readonly dropped: number;
  /** Messages that arrived twice. */
  readonly duplicates: number;
  /** Messages in an unknown format, as from another version. */
  readonly malformed: number;
}

class Member implements Node {
  readonly id: string;
  connections = 0;
  seenAt = 0;
  readonly window = new SequenceWindow();
  /** Lines of this turn. */
  readonly lines: string[] = [];

  constructor(id: string) {
    this.id = id;
  }
}

/**
 * Keeps track of the other nodes on a bus, and sends them lines: all lines of one turn for a node travel in one
 * message. Heartbeats find nodes that die; sequence numbers find messages that arrive twice.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #heartbeat: number;
  readonly #members = new Map<string, Member>();
  /** Ids that said goodbye, oldest first: a delayed heartbeat must not revive them. */
  readonly #gone = new Set<string>();
  readonly #counts = {
    sent: 0,
    received: 0,
    linesOut: 0,
    linesIn: 0,
    dropped: 0,
    duplicates: 0,
    malformed: 0,
  };
  #sequence = 0;
  #connections = 0;
  #beat: Timer | undefined;
  #announcement: Timer | undefined;
  #flushing = false;
  #closed = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#heartbeat = options.heartbeat ?? HEARTBEAT;
    options.bus.receive({
      onMessage: (message) => this.#receive(message),
      onStatus: () => this.#statusChanged(),
      onGone: (node) => this.#nodeGone(node),
    });
  }

  /** Connects the bus and announces this node. Rejects if the bus cannot be reached. */
  async start(): Promise<void> {
    await this.#options.bus.connect();
    if (!this.#closed) this.#onBeat("hello");
  }

  /** The other nodes. */
  get nodes(): Iterable<Node> {
    return this.#members.values();
  }

  /** Sets how many connections this node can choose from; the others hear of it within 50 ms. */
  announce(connections: number): void {
    if (connections === this.#connections || this.#closed) return;
    this.#connections = connections;
    this.#announcement ??= this.#options.clock.after(ANNOUNCE_INTERVAL, () => {
      this.#announcement = undefined;
      this.#options.bus.publish(this.#encodeBeat("beat"));
    });
  }

  /** Queues a line for a node; it leaves at the end of this turn. A line for an unknown node is dropped. */
  send(id: string, line: string): void {
    const member = this.#members.get(id);
    if (member === undefined) {
      this.#counts.dropped++;
      return;
    }
    member.lines.push(line);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Returns the counters. */
  stats(): MembershipStats {
    const connected = this.#options.bus.status === "connected";
    return { connected, nodes: this.#members.size, ...this.#counts };
  }

  /** Sends what is queued, says goodbye, and closes the bus. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    this.#beat?.cancel();
    this.#announcement?.cancel();
    this.#options.bus.publish(encodeEnvelope({ kind: "bye", ...this.#header() }));
    await this.#options.bus.close();
  }

  #header(): { from: string; sequence: number } {
    return { from: this.#options.bus.node, sequence: ++this.#sequence };
  }

  #onBeat(kind: "hello" | "beat"): void {
    this.#options.bus.publish(this.#encodeBeat(kind));
    this.#removeSilent();
    this.#beat = this.#options.clock.after(this.#heartbeat, () => this.#onBeat("beat"));
  }

  #encodeBeat(kind: "hello" | "beat"): string {
    return encodeEnvelope({ kind, ...this.#header(), connections: this.#connections });
  }

  #removeSilent(): void {
    const missed = this.#options.bus.noticesDeath ? MISSED_BY_HANGING : MISSED_HEARTBEATS;
    const oldest = this.#options.clock.now() - this.#heartbeat * missed;
    for (const member of this.#members.values()) {
      if (member.seenAt < oldest) this.#remove(member, "silent");
    }
  }

  #statusChanged(): void {
    if (this.#closed) return;
    if (this.#options.bus.status === "connected") {
      this.#options.bus.publish(this.#encodeBeat("hello"));
    } else {
      for (const member of this.#members.values()) this.#remove(member, "bus-lost");
    }
  }

  #nodeGone(node: string): void {
    const member = this.#members.get(node);
    if (member !== undefined && !this.#closed) this.#remove(member, "died");
  }

  #receive(message: string): void {
    const envelope = decodeEnvelope(message);
    if (envelope === undefined) {
      this.#counts.malformed++;
    } else if (envelope.from !== this.#options.bus.node && !this.#closed && !this.#gone.has(envelope.from)) {
      this.#counts.received++;
      this.#accept(envelope, this.#members.get(envelope.from) ?? this.#add(envelope.from));
    }
  }

  #accept(envelope: Envelope, member: Member): void {
    if (!member.window.accept(envelope.sequence)) {
      this.#counts.duplicates++;
      return;
    }
    member.seenAt = this.#options.clock.now();
    switch (envelope.kind) {
      case "hello":
      case "beat":
        if (envelope.kind === "hello") this.#options.bus.send(member.id, this.#encodeBeat("beat"));
        if (envelope.connections !== member.connections) {
          member.connections = envelope.connections;
          this.#options.onCount(member);
        }
        break;
      case "lines":
        this.#counts.linesIn += envelope.lines.length;
        this.#options.onLines(member, envelope.lines);
        break;
      case "bye":
        this.#remember(member.id);
        this.#remove(member, "bye");
        break;
    }
  }

  #add(id: string): Member {
    const member = new Member(id);
    member.seenAt = this.#options.clock.now();
    this.#members.set(id, member);
    this.#options.onJoin(member);
    return member;
  }

  #remember(gone: string): void {
    this.#gone.add(gone);
    const [oldest] = this.#gone;
    if (this.#gone.size > MAX_GONE) this.#gone.delete(oldest!);
  }

  #remove(member: Member, reason: LeaveReason): void {
    if (!this.#members.delete(member.id)) return;
    this.#counts.dropped += member.lines.length;
    this.#options.onLeave(member, reason);
  }

  #flush(): void {
    for (const member of this.#members.values()) {
      if (member.lines.length > 0) this.#sendLines(member, member.lines.splice(0));
    }
  }

  /** Sends lines in as few messages as the bus allows. */
  #sendLines(member: Member, lines: readonly string[]): void {
    const limit = this.#options.bus.maxMessage - HEADER;
    let batch: string[] = [];
    let size = 0;
    for (const line of lines) {
      const bytes = maxBytes(line, limit) + 1;
      if (bytes > limit) {
        this.#counts.dropped++;
        continue;
      }
      if (size + bytes > limit) {
        this.#sendBatch(member, batch);
        batch = [];
        size = 0;
      }
      batch.push(line);
      size += bytes;
    }
    if (batch.length > 0) this.#sendBatch(member, batch);
  }

  #sendBatch(member: Member, lines: readonly string[]): void {
    const sent = this.#options.bus.send(
      member.id,
      encodeEnvelope({ kind: "lines", ...this.#header(), lines }),
    );
    if (sent) {
      this.#counts.sent++;
      this.#counts.linesOut += lines.length;
    } else {
      this.#counts.dropped += lines.length;
    }
  }
}

const encoder = new TextEncoder();

/** Returns an upper bound of the UTF-8 bytes of a line, exact where the cheap bound would exceed `limit`. */
function maxBytes(line: string, limit: number): number {
  return line.length * 3 < limit ? line.length * 3 : encoder.encode(line).length;
}

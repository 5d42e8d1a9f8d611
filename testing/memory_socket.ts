/** One end of an in-memory connection, and one of its directions. @module */
import { Deque } from "@std/data-structures/deque";
import type { Address, Transport } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import { badResource, brokenPipe, connectionReset, interrupted, twice } from "../internal/os_errors.ts";

interface Pending<Result> {
  readonly bytes: Uint8Array;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** Options of a {@linkcode MemorySocket}. */
export interface MemorySocketOptions {
  /** The address of this side. */
  readonly local: Address;
  /** The address of the peer. */
  readonly remote: Address;
  readonly travel: Travel;
  /** Bytes that the peer has not read, from which on `write` waits. */
  readonly capacity: number;
  readonly onClose: () => void;
}

/**
 * A {@linkcode Transport} that behaves like a TCP socket of Deno on Linux, including errors and their order. The contract
 * test checks both.
 */
export class MemorySocket implements Transport {
  readonly local: Address;
  readonly remote: Address;
  readonly #out: MemoryPipe;
  readonly #capacity: number;
  readonly #onClose: () => void;
  #peer: MemorySocket | undefined;
  readonly #received = new Deque<Uint8Array>();
  #unread = 0;
  /** Bytes written that the peer has not read. */
  #outstanding = 0;
  #reading: Pending<number | null> | undefined;
  #writing: Pending<number> | undefined;
  #finSent = false;
  #finReceived = false;
  /** Whether a reset has arrived, so nothing is sent or received anymore. */
  #dead = false;
  /** The error that the next call throws, once, as the kernel keeps it for a socket. */
  #error: Error | undefined;
  #closed = false;

  /** Creates one end of a connection. Use `MemoryNetwork.connect` instead. */
  constructor(options: MemorySocketOptions) {
    this.local = options.local;
    this.remote = options.remote;
    this.#capacity = options.capacity;
    this.#onClose = options.onClose;
    this.#out = new MemoryPipe(options.travel, {
      from: options.local,
      to: options.remote,
      deliver: (packet) => {
        if (this.#peer !== undefined) this.#peer.#receive(packet);
      },
    });
  }

  /** Connects two ends. */
  static join(one: MemorySocket, other: MemorySocket): void {
    one.#peer = other;
    other.#peer = one;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#closed) return Promise.reject(badResource());
    if (this.#reading !== undefined) return Promise.reject(twice("read"));
    if (into.length === 0) return Promise.resolve(0);
    if (this.#unread > 0) return Promise.resolve(this.#take(into));
    if (this.#error !== undefined) return Promise.reject(this.#takeError());
    if (this.#finReceived || this.#dead) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reading = { bytes: into, resolve, reject });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(badResource());
    if (this.#writing !== undefined) return Promise.reject(twice("write"));
    if (this.#error !== undefined) return Promise.reject(this.#takeError());
    if (this.#finSent || this.#dead) return Promise.reject(brokenPipe());
    if (bytes.length === 0) return Promise.resolve(0);
    if (this.#outstanding < this.#capacity) return Promise.resolve(this.#put(bytes));
    return new Promise((resolve, reject) => this.#writing = { bytes, resolve, reject });
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(badResource());
    this.#sendFin();
    this.#failWrite(brokenPipe());
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#sendFin();
    // Closing with unread bytes sends a reset, as the kernel does.
    if (this.#unread > 0) this.#sendReset();
    this.#release();
  }

  /** Closes with a reset instead of a FIN. Data that the peer has not received yet may be lost. */
  reset(): void {
    if (this.#closed) return;
    this.#sendReset();
    this.#release();
  }

  /** Receives a packet. */
  #receive(packet: Packet): void {
    if (this.#dead) return;
    if (packet === "reset") this.#receiveReset();
    else if (packet === "fin") this.#receiveFin();
    else if (this.#closed) this.#sendReset();
    else this.#receiveBytes(packet);
  }

  #receiveBytes(packet: Uint8Array): void {
    this.#received.pushBack(packet);
    this.#unread += packet.length;
    const reading = this.#reading;
    if (reading === undefined) return;
    this.#reading = undefined;
    reading.resolve(this.#take(reading.bytes));
  }

  #receiveFin(): void {
    this.#finReceived = true;
    this.#reading?.resolve(null);
    this.#reading = undefined;
  }

  #receiveReset(): void {
    this.#dead = true;
    if (this.#closed) return;
    // After a FIN, the kernel reports a reset as a broken pipe, and only to a write.
    let error = this.#finReceived ? undefined : connectionReset();
    if (this.#reading !== undefined && error !== undefined) {
      this.#reading.reject(error);
      this.#reading = error = undefined;
    }
    if (this.#writing !== undefined) {
      this.#failWrite(error ?? brokenPipe());
      error = undefined;
    }
    this.#error = error; // No operation is pending, so the next call throws it.
  }

  /** Moves received bytes into `into`, and lets the peer write that many more. */
  #take(into: Uint8Array): number {
    let count = 0;
    while (count < into.length) {
      const first = this.#received.popFront();
      if (first === undefined) break;
      const part = first.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length < first.length) this.#received.pushFront(first.subarray(part.length));
    }
    this.#unread -= count;
    if (this.#peer !== undefined) this.#peer.#makeRoom(count);
    return count;
  }

  /** Handles that the peer has read `count` bytes. */
  #makeRoom(count: number): void {
    this.#outstanding -= count;
    const writing = this.#writing;
    if (writing === undefined) return;
    this.#writing = undefined;
    writing.resolve(this.#put(writing.bytes));
  }

  /** Sends as much of `bytes` as fits. */
  #put(bytes: Uint8Array): number {
    const sent = bytes.slice(0, this.#capacity - this.#outstanding);
    this.#outstanding += sent.length;
    this.#out.put(sent);
    return sent.length;
  }

  #sendFin(): void {
    if (this.#finSent || this.#dead) return;
    this.#finSent = true;
    this.#out.put("fin");
  }

  #sendReset(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#out.put("reset");
  }

  #release(): void {
    this.#closed = true;
    this.#received.clear();
    this.#unread = 0;
    this.#reading?.reject(interrupted());
    this.#reading = undefined;
    this.#failWrite(interrupted());
    this.#onClose();
  }

  #failWrite(error: Error): void {
    this.#writing?.reject(error);
    this.#writing = undefined;
  }

  #takeError(): Error {
    const error = this.#error!;
    this.#error = undefined;
    return error;
  }
}

/** A packet: bytes, or one of the two signals that end the stream. */
export type Packet = Uint8Array | "fin" | "reset";

/** Properties of the path through a {@linkcode MemoryPipe}. */
export interface Travel {
  readonly clock: Clock;
  /** Draws the travel time of one packet in ms. */
  readonly latency: () => number;
  /** Bytes per ms. */
  readonly bandwidth: number;
  /** Whether packets from one address to the other are blocked. */
  readonly cut: (from: Address, to: Address) => boolean;
  /** Pipes that could not deliver because of a partition. */
  readonly waiting: Set<MemoryPipe>;
}

/** Delivers packets in order, and never before their time. */
export class MemoryPipe {
  readonly #travel: Travel;
  readonly #from: Address;
  readonly #to: Address;
  readonly #deliver: (packet: Packet) => void;
  readonly #onWay = new Deque<Packet>();
  /** Packets that were due during a partition. */
  #overdue = 0;
  #lastSent = 0;
  #lastArrival = 0;

  constructor(travel: Travel, ends: { from: Address; to: Address; deliver: (packet: Packet) => void }) {
    this.#travel = travel;
    this.#from = ends.from;
    this.#to = ends.to;
    this.#deliver = ends.deliver;
  }

  put(packet: Packet): void {
    const { clock, latency, bandwidth } = this.#travel;
    const now = clock.now();
    const size = typeof packet === "string" ? 0 : packet.length;
    this.#lastSent = Math.max(now, this.#lastSent) + size / bandwidth;
    this.#lastArrival = Math.max(this.#lastArrival, this.#lastSent + latency());
    this.#onWay.pushBack(packet);
    if (this.#lastArrival > now) clock.after(this.#lastArrival - now, this.#arrive);
    else clock.soon(this.#arrive);
  }

  /** Delivers overdue packets if the path is free. */
  retry(): void {
    const overdue = this.#overdue;
    this.#overdue = 0;
    for (let i = 0; i < overdue; i++) this.#arrive();
  }

  // Each arrival delivers the oldest packet, so the order does not depend on the clock's order of timers.
  readonly #arrive = (): void => {
    if (this.#travel.cut(this.#from, this.#to)) {
      this.#overdue++;
      this.#travel.waiting.add(this);
      return;
    }
    const packet = this.#onWay.popFront();
    if (packet !== undefined) this.#deliver(packet);
  };
}

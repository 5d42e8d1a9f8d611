/** A bus in memory, with faults, for tests and simulations. @module */
import type { Clock, Random } from "../../internal/clock.ts";
import type { Bus, BusHandlers, BusStatus } from "./bus.ts";

/** Options for {@linkcode MemoryBusHub}. */
export interface MemoryBusOptions {
  /** The clock that delays run on. */
  readonly clock: Clock;
  /** Time in ms that a message takes. Default 0: the end of the turn. */
  readonly latency?: number;
  /** Largest message in bytes. Default 1 MiB. */
  readonly maxMessage?: number;
  /** As {@linkcode Bus.noticesDeath}. Default `false`. */
  readonly noticesDeath?: boolean;
  /** Shares of messages, from 0 to 1, that are dropped, doubled, or delayed by up to a second. Default: none. */
  readonly faults?: { readonly drop?: number; readonly duplicate?: number; readonly delay?: number };
  /** Needed with `faults`. */
  readonly random?: Random;
}

const MAX_MESSAGE = 1024 * 1024;
const LONGEST_DELAY = 1000;

/** Connects the memory buses of several nodes. */
export class MemoryBusHub {
  readonly #options: MemoryBusOptions;
  readonly #buses = new Map<string, MemoryBus>();

  /** Creates a hub without nodes. */
  constructor(options: MemoryBusOptions) {
    this.#options = options;
  }

  /** Returns the bus of a node, not connected yet. */
  join(node: string): MemoryBus {
    const bus = new MemoryBus(node, this);
    this.#buses.set(node, bus);
    return bus;
  }

  /** Whether the buses notice deaths. */
  get noticesDeath(): boolean {
    return this.#options.noticesDeath ?? false;
  }

  /** Maximum size of a message. */
  get maxMessage(): number {
    return this.#options.maxMessage ?? MAX_MESSAGE;
  }

  /** Delivers a message to one node, or to all but the sender. */
  deliver(from: string, to: string | undefined, message: string): void {
    const receivers = to === undefined ? [...this.#buses.keys()].filter((id) => id !== from) : [to];
    for (const id of receivers) {
      for (const delay of this.#delays()) this.#options.clock.after(delay, () => this.#arrive(id, message));
    }
  }

  /** Returns the delay of each copy of a message. */
  #delays(): number[] {
    const { latency = 0, faults = {}, random = () => 1 } = this.#options;
    if (random() < (faults.drop ?? 0)) return [];
    const delay = random() < (faults.delay ?? 0) ? latency + random() * LONGEST_DELAY : latency;
    return random() < (faults.duplicate ?? 0) ? [delay, delay + latency] : [delay];
  }

  #arrive(id: string, message: string): void {
    this.#buses.get(id)?.arrive(message);
  }
}

/** A node's end of a {@linkcode MemoryBusHub}. */
export class MemoryBus implements Bus {
  readonly node: string;
  readonly #hub: MemoryBusHub;
  #status: BusStatus = "connecting";
  #handlers: BusHandlers | undefined;

  /** Creates the bus of one node. */
  constructor(node: string, hub: MemoryBusHub) {
    this.node = node;
    this.#hub = hub;
  }

  get noticesDeath(): boolean {
    return this.#hub.noticesDeath;
  }

  get maxMessage(): number {
    return this.#hub.maxMessage;
  }

  get status(): BusStatus {
    return this.#status;
  }

  receive(handlers: BusHandlers): void {
    this.#handlers = handlers;
  }

  connect(): Promise<void> {
    this.restore();
    return Promise.resolve();
  }

  /** Disconnects until {@linkcode MemoryBus.restore}: messages in both directions are lost. */
  cut(): void {
    this.#become("disconnected");
  }

  /** Loses messages in both directions without noticing, as a network partition does, until `restore`. */
  silence(): void {
    this.#silent = true;
  }

  /** Ends {@linkcode MemoryBus.cut} and {@linkcode MemoryBus.silence}. */
  restore(): void {
    this.#silent = false;
    this.#become("connected");
  }

  send(node: string, message: string): boolean {
    if (this.#status !== "connected") return false;
    if (!this.#silent) this.#hub.deliver(this.node, node, message);
    return true;
  }

  publish(message: string): boolean {
    if (this.#status !== "connected") return false;
    if (!this.#silent) this.#hub.deliver(this.node, undefined, message);
    return true;
  }

  /** Hands a message to the node. */
  arrive(message: string): void {
    if (this.#status === "connected" && !this.#silent) this.#handlers?.onMessage(message);
  }

  close(): Promise<void> {
    this.#become("closed");
    return Promise.resolve();
  }

  #silent = false;

  #become(status: BusStatus): void {
    if (this.#status === status || this.#status === "closed") return;
    this.#status = status;
    this.#handlers?.onStatus();
  }
}

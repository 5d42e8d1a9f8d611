/** An in-memory listener. @module */
import { Deque } from "@std/data-structures/deque";
import type { MemorySocket } from "./memory_socket.ts";
import type { Address, TransportListener } from "../socket/network.ts";

/** Options of a {@linkcode MemoryListener}, set by its network. */
export interface MemoryListenerOptions {
  /** The bound address. */
  readonly address: Address;
  /** Whether other listeners may share the port. */
  readonly reusePort: boolean;
  /** Most peers in the queue. */
  readonly backlog: number;
  /** Returns the error with which the next `accept` must fail, if any. */
  readonly nextError: () => Error | undefined;
  readonly onAccept: () => void;
  readonly onClose: () => void;
}

/** A {@linkcode TransportListener} with its own queue instead of the kernel's. */
export class MemoryListener implements TransportListener {
  /** The bound address. */
  readonly address: Address;
  /** Whether other listeners may share the port. */
  readonly reusePort: boolean;
  readonly #options: MemoryListenerOptions;
  readonly #queue = new Deque<MemorySocket>();
  #accepting: PromiseWithResolvers<MemorySocket> | undefined;
  #closed = false;

  /** Creates a listener. Use `MemoryNetwork.listen` instead. */
  constructor(options: MemoryListenerOptions) {
    this.address = options.address;
    this.reusePort = options.reusePort;
    this.#options = options;
  }

  /** Number of queued peers. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Whether the backlog is full. */
  get full(): boolean {
    return this.#queue.length >= this.#options.backlog;
  }

  accept(): Promise<MemorySocket> {
    if (this.#closed) return Promise.reject(listenerClosed());
    if (this.#accepting) return Promise.reject(new Deno.errors.Busy("Another accept task is ongoing"));
    const error = this.#options.nextError();
    if (error !== undefined) return Promise.reject(error);
    const next = this.#queue.popFront();
    if (next !== undefined) return Promise.resolve(this.#hand(next));
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClose();
    this.#accepting?.reject(listenerClosed());
    this.#accepting = undefined;
    for (const socket of this.#queue) this.#hand(socket).reset();
    this.#queue.clear();
  }

  /** Adds a peer to the queue. Called by the network. */
  enqueue(socket: MemorySocket): void {
    if (this.#accepting === undefined) {
      this.#queue.pushBack(socket);
      return;
    }
    this.#accepting.resolve(this.#hand(socket));
    this.#accepting = undefined;
  }

  /** Fails the pending `accept`. Returns `false` if there is none. Called by the network. */
  fail(error: Error): boolean {
    this.#accepting?.reject(error);
    const failed = this.#accepting !== undefined;
    this.#accepting = undefined;
    return failed;
  }

  #hand(socket: MemorySocket): MemorySocket {
    this.#options.onAccept();
    return socket;
  }
}

function listenerClosed(): Error {
  return new Deno.errors.BadResource("Listener has been closed");
}

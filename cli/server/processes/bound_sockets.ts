/** Listening sockets that child processes inherit and accept on. @module */
import type { NativeListener } from "../../../native/listener.ts";
import { Acceptor, type AcceptorOptions } from "../../../socket/listener/acceptor.ts";
import type { Address } from "../../../socket/network.ts";
import { systemClock } from "../../../socket/tcp.ts";

/** Options for {@linkcode BoundSockets}. */
export type BoundSocketsOptions = Pick<
  AcceptorOptions,
  "network" | "hostnames" | "tryHostnames" | "port" | "reusePort" | "onEvent"
>;

/** Sockets that are bound, and not accepted on by this process. */
export class BoundSockets {
  /** The bound addresses. */
  readonly addresses: readonly Address[];
  readonly #acceptor: Acceptor;

  /**
   * Binds the addresses.
   *
   * @throws {Error} The error of the OS.
   */
  constructor(options: BoundSocketsOptions) {
    this.#acceptor = new Acceptor({ ...options, clock: systemClock, maxAcceptRate: 0, onChange: () => {} });
    this.addresses = this.#acceptor.addresses;
  }

  /** The arguments of a process that accepts on the sockets, which must be on epoll. */
  get args(): readonly string[] {
    return this.#listeners.flatMap(({ descriptor }) => ["--listen-fd", `${descriptor}`]);
  }

  /** Calls `start`. The child processes that it starts inherit the sockets; others do not. */
  sharedWith<Child>(start: () => Child): Child {
    for (const listener of this.#listeners) listener.inheritable = true;
    try {
      return start();
    } finally {
      for (const listener of this.#listeners) listener.inheritable = false;
    }
  }

  /** Closes the sockets of this process. Child processes that inherited them are unaffected. */
  close(): void {
    this.#acceptor.close();
  }

  get #listeners(): readonly NativeListener[] {
    return this.#acceptor.sockets as readonly NativeListener[];
  }
}

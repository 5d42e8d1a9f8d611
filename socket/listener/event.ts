/** The events of a listener, and the one place that reports them. @module */
import type { TaskSet } from "../../internal/task_set.ts";
import type { Connection } from "../connection.ts";
import type { Refusal } from "./connection_set.ts";
import type { CloseReason } from "../errors.ts";
import type { Address } from "../network.ts";

/** An event of a listener. Its connections are of the type `Peer`. */
export type ListenerEvent<Peer = Connection> =
  /** One of `tryHostnames` could not be bound, with the error of the OS. */
  | { readonly type: "not-bound"; readonly hostname: string; readonly cause: unknown }
  /** The process has no free descriptor: accepting pauses and retries. */
  | { readonly type: "exhausted" }
  /** A peer was accepted, and the last shortage of descriptors is at least five seconds ago. */
  | { readonly type: "recovered" }
  /** A peer was refused. It never becomes a connection, so no `closed` follows. */
  | { readonly type: "refused"; readonly remote: Address; readonly refusal: Refusal }
  /** A connection has closed. Reported once for each, before its `closed` resolves. */
  | { readonly type: "closed"; readonly connection: Peer; readonly reason: CloseReason };

/** Functions that receive what happens in a listener. */
export interface ListenerHooks<Peer> {
  /** Receives the events of the listener. */
  onEvent?: (event: ListenerEvent<Peer>) => void;
  /**
   * Receives each error of the program once: thrown by a handler, whether its connection is open or not, by the codec, by
   * `farewell`, or by a hook such as `mayConnect`, `refusal`, or `onEvent`. Other connections are unaffected; a peer whose
   * `mayConnect` throws is refused. What peers do is not reported: neither their framing errors, nor the
   * `ConnectionClosedError` of a handler's own connection.
   *
   * It is not an event, so that no error is lost to a function that handles only some events. Default: each error is
   * printed on stderr, as by `Deno.serve`, and `finished` rejects with the first one once everything is closed.
   *
   * @param connection The connection of the handler, codec, or `farewell`. Undefined for hooks.
   */
  onError?: (error: Error, connection?: Peer) => void;
}

/** Calls the hooks of a listener. What a hook throws goes to `onError`, and what that throws rejects `finished`. */
export class Reporter<Peer> {
  readonly #hooks: ListenerHooks<Peer>;
  readonly #tasks: TaskSet;

  /** @param tasks Keeps the first error for `finished`. */
  constructor(hooks: ListenerHooks<Peer>, tasks: TaskSet) {
    this.#hooks = hooks;
    this.#tasks = tasks;
  }

  event(event: ListenerEvent<Peer>): void {
    try {
      this.#hooks.onEvent?.(event);
    } catch (error) {
      this.error(error);
    }
  }

  error(cause: unknown, connection?: Peer): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#hooks.onError === undefined) {
      // A server may run for months before anyone looks at `finished`.
      // deno-lint-ignore layout/no-console -- a library has no log, and this must not be silent.
      console.error(error);
      return this.#tasks.fail(error);
    }
    try {
      this.#hooks.onError(error, connection);
    } catch (thrown) {
      this.#tasks.fail(thrown);
    }
  }
}

/** Who of those that were accepted becomes a connection, and who is turned away. @module */
import { Connection } from "./connection.ts";
import { ConnectionSet } from "./connection_set.ts";
import type { CloseReason } from "./errors.ts";
import type { FrameListenOptions } from "./listen_options.ts";
import type { Transport } from "./network.ts";
import type { Clock } from "../internal/clock.ts";
import { Refusals, REFUSED_DRAIN_TIMEOUT } from "./refusals.ts";
import type { TaskSet } from "../internal/task_set.ts";

/** What an {@linkcode Admission} is given by its listener. */
export interface AdmissionOptions<Frame> {
  /** What the listener was told of limits, refusals and connections. */
  readonly listen: FrameListenOptions<Frame>;
  readonly clock: Clock;
  /** Counts each connection until it has ended, and keeps what `onClosed` and `onRefused` throw. */
  readonly tasks: TaskSet;
  /** Hands a connection to who serves it; the next may come once the promise is fulfilled. */
  readonly hand: (connection: Connection<Frame>) => Promise<void> | undefined;
  /** Called after each change of the connections and of who waits for room. */
  readonly changed: () => void;
}

/** Makes connections of accepted sockets as far as the limits let it, and keeps them until they end. */
export class Admission<Frame> {
  /** Those that stand. */
  readonly connections: ConnectionSet<Frame>;
  readonly #options: AdmissionOptions<Frame>;
  readonly #refusals: Refusals<Frame>;
  #nextId = 1;
  #room: PromiseWithResolvers<void> | undefined;
  #waiting = 0;
  #stopped = false;

  constructor(options: AdmissionOptions<Frame>) {
    const { listen, tasks } = options;
    this.#options = options;
    this.connections = new ConnectionSet({
      maxConnections: listen.maxConnections ?? 0,
      maxConnectionsPerIp: listen.maxConnectionsPerIp ?? 0,
      mayConnect: listen.mayConnect ?? (() => true),
    });
    this.#refusals = new Refusals(tasks, listen);
  }

  /** How many have been accepted and wait for room. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Lets one in, refuses it, or has it wait for room.
   *
   * @returns A promise where the next one must not come before it is fulfilled.
   * @throws What `mayConnect` throws.
   */
  admit(transport: Transport): Promise<void> | undefined {
    const { listen, clock, tasks, hand, changed } = this.#options;
    if (this.#stopped) {
      transport.close();
      return;
    }
    if (listen.whenFull === "wait" && this.connections.full) {
      return this.#untilRoom().then(() => this.admit(transport));
    }
    const refusal = this.connections.refusal(transport.remote.hostname);
    const { total } = this.connections;
    const options = { ...listen, clock, id: this.#nextId++, total };
    if (refusal !== undefined) {
      const brief = { ...options, onClosed: undefined, drainTimeout: REFUSED_DRAIN_TIMEOUT };
      this.#refusals.refuse(new Connection(transport, brief), refusal);
      changed();
      return;
    }
    const connection = new Connection(transport, { ...options, onClosed: this.#onClosed });
    this.connections.add(connection);
    tasks.begin();
    changed();
    return hand(connection);
  }

  /** From now on nobody is let in, and who waits for room is closed. */
  stop(): void {
    this.#stopped = true;
    this.#makeRoom();
  }

  /** Closes all that stand or are on their way out. */
  closeAll(why: string): void {
    for (const connection of this.connections) connection.abort({ type: "local", why });
    this.#refusals.close(why);
  }

  readonly #onClosed = (connection: Connection<Frame>, reason: CloseReason): void => {
    const { listen, tasks, changed } = this.#options;
    this.connections.remove(connection, reason);
    this.#makeRoom();
    changed();
    try {
      listen.onClosed?.(connection, reason);
    } catch (error) {
      tasks.fail(error);
    }
    tasks.end();
  };

  async #untilRoom(): Promise<void> {
    this.#waiting++;
    this.#options.changed();
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
    this.#waiting--;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

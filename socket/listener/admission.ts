/** Admission control: turns accepted sockets into connections, or refuses them. @module */
import type { Clock } from "../../internal/clock.ts";
import type { TaskSet } from "../../internal/task_set.ts";
import { Connection } from "../connection.ts";
import { ConnectionSettings } from "../connection/settings.ts";
import { ConnectionSet, type Refusal } from "./connection_set.ts";
import type { CloseReason } from "../errors.ts";
import type { FrameListenOptions } from "./options.ts";
import type { Reporter } from "./event.ts";
import type { Transport } from "../network.ts";

// A refused peer holds a descriptor until it has gone, or for this long, in ms.
const REFUSED_DRAIN_TIMEOUT = 1000;
// More refused peers than this at a time are closed without a reason: they are not worth the descriptors.
const MAX_REFUSED = 256;

/** Options for {@linkcode Admission}. */
export interface AdmissionOptions<Frame> {
  /**
   * The options of the listener, in the copy whose limits and timeouts `Listener.setLimits` changes. They are read again for
   * each peer, and by {@linkcode Admission.applyLimits}.
   */
  readonly listen: FrameListenOptions<Frame>;
  readonly clock: Clock;
  /** Receives events, and errors of hooks. */
  readonly reporter: Reporter<Connection<Frame>>;
  /** Collects refused connections until they have gone. */
  readonly tasks: TaskSet;
  /** Called after each change of the connections, and of the peers that wait for room. */
  readonly onChange: () => void;
}

/** Admits peers as far as the limits allow, and keeps the open connections. */
export class Admission<Frame> {
  /** The open connections. */
  readonly connections: ConnectionSet<Frame>;
  readonly #options: AdmissionOptions<Frame>;
  /** Settings of the connections that are accepted from now on. */
  #settings: ConnectionSettings<Frame>;
  /** Refused peers that have not gone yet. */
  readonly #refused = new Set<Connection<Frame>>();
  #nextId = 1;
  #room: PromiseWithResolvers<void> | undefined;
  #waiting = 0;
  #stopped = false;

  constructor(options: AdmissionOptions<Frame>) {
    const { listen } = options;
    this.#options = options;
    this.connections = new ConnectionSet({
      maxConnections: listen.limits?.maxConnections ?? 0,
      maxConnectionsPerIp: listen.limits?.maxConnectionsPerIp ?? 0,
      mayConnect: (address) => this.#mayConnect(address),
    });
    this.#settings = this.#settingsOfAccepted();
  }

  /** Number of accepted peers that wait for room. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the next peer waits for room. */
  get mustWait(): boolean {
    return this.#options.listen.limits?.whenFull === "wait" && this.connections.full && !this.#stopped;
  }

  /** Lets a peer wait for room. */
  async untilRoom(): Promise<void> {
    while (this.mustWait) {
      this.#waiting++;
      this.#options.onChange();
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
      this.#waiting--;
    }
  }

  /** Admits a peer that has room, or refuses it. Returns `undefined` for a peer that is not admitted. */
  admit(transport: Transport): Connection<Frame> | undefined {
    if (this.#stopped) {
      transport.close();
      return undefined;
    }
    const refusal = this.connections.refusal(transport.remote.hostname);
    const id = this.#nextId++;
    const settings = refusal === undefined ? this.#settings : this.#settingsOfRefused(refusal);
    const connection = this.#connection(transport, settings, id);
    if (connection !== undefined) {
      if (refusal !== undefined) this.#refuse(connection, refusal);
      else this.connections.add(connection);
    }
    this.#options.onChange();
    return refusal === undefined ? connection : undefined;
  }

  /** Returns `undefined` if the codec throws, which costs this peer its connection, and no other. */
  #connection(
    transport: Transport,
    settings: ConnectionSettings<Frame>,
    id: number,
  ): Connection<Frame> | undefined {
    try {
      return new Connection(transport, settings, id);
    } catch (error) {
      transport.close();
      this.#options.reporter.error(error);
      return undefined;
    }
  }

  /** Applies the current limits of the listener's options. Peers that wait for room may get it. */
  applyLimits(): void {
    const { maxConnections = 0, maxConnectionsPerIp = 0 } = this.#options.listen.limits ?? {};
    this.connections.setLimits({ maxConnections, maxConnectionsPerIp });
    this.#settings = this.#settingsOfAccepted();
    this.#makeRoom();
  }

  #settingsOfAccepted(): ConnectionSettings<Frame> {
    const { listen, clock } = this.#options;
    const { total } = this.connections;
    return new ConnectionSettings({ ...listen, clock, total, onClosed: this.#onClosed });
  }

  #settingsOfRefused(refusal: Refusal): ConnectionSettings<Frame> {
    const { listen, clock, reporter } = this.#options;
    const { total } = this.connections;
    const timeouts = { ...listen.timeouts, drain: REFUSED_DRAIN_TIMEOUT };
    const farewell = () => this.#refusalFrame(refusal);
    const onClosed = (connection: Connection<Frame>, reason: CloseReason): void => {
      if (reason.type === "handler-failed") reporter.error(reason.error, connection);
    };
    return new ConnectionSettings({ ...listen, clock, total, timeouts, farewell, onClosed });
  }

  /** Admits no more peers, and closes those that wait for room. */
  stop(): void {
    this.#stopped = true;
    this.#makeRoom();
  }

  /** Closes every open connection, and every refused one that has not gone yet. */
  closeAll(reason: CloseReason): void {
    for (const connection of [...this.connections, ...this.#refused]) connection.abort(reason);
  }

  /** A filter that throws refuses this peer only. */
  #mayConnect(address: string): boolean {
    try {
      return this.#options.listen.access?.mayConnect?.(address) ?? true;
    } catch (error) {
      this.#options.reporter.error(error);
      return false;
    }
  }

  #refuse(connection: Connection<Frame>, refusal: Refusal): void {
    const { reporter, tasks } = this.#options;
    reporter.event({ type: "refused", remote: connection.remote, refusal });
    if (this.#refused.size >= MAX_REFUSED) {
      connection.abort();
      return;
    }
    this.#refused.add(connection);
    const closed = connection.close({ type: "local", why: refusal.why });
    tasks.add(closed.then(() => this.#refused.delete(connection)));
  }

  #refusalFrame({ why, limit }: Refusal): Frame | undefined {
    const { listen, reporter } = this.#options;
    try {
      return listen.refusal?.(why, limit);
    } catch (error) {
      reporter.error(error);
      return undefined;
    }
  }

  readonly #onClosed = (connection: Connection<Frame>, reason: CloseReason): void => {
    const { reporter, onChange } = this.#options;
    this.connections.remove(connection, reason);
    this.#makeRoom();
    onChange();
    reporter.event({ type: "closed", connection, reason });
    if (reason.type === "handler-failed") reporter.error(reason.error, connection);
  };

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

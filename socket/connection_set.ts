/** The connections that stand, counted and bounded. @module */
import type { Connection } from "./connection.ts";
import { plural } from "../internal/plural.ts";
import type { CloseReason, CloseType } from "./errors.ts";
import type { QueuedBytes } from "./writer.ts";

const OPEN = { one: "connection is", many: "connections are" };

/** Why a peer was not let in. */
export interface Refusal {
  /** What stood against it; `address` is `mayConnect`. */
  readonly limit: "max-connections" | "max-connections-per-ip" | "address";
  /** The same for people. */
  readonly why: string;
}

/** How many of each kind a {@linkcode ConnectionSet} has seen. */
export interface ConnectionCounts {
  /** Connections that stand now. */
  readonly connections: number;
  /** Maximum of `connections` so far. */
  readonly peakConnections: number;
  /** Refused for a limit, or for their address. */
  readonly refused: number;
  /** The same by what stood against them. */
  readonly refusals: Readonly<Record<Refusal["limit"], number>>;
  /** Ended connections, by the type of their reason. */
  readonly closed: Readonly<Record<CloseType, number>>;
  /** Those that ended by a timeout, by which it was: `idle`, `first line`, `write`, `drain`, and what handlers add. */
  readonly timeouts: Readonly<Record<string, number>>;
  /** Those whose input could not be framed, by the code of the error: `line-too-long`, `invalid-utf8`, … */
  readonly framingErrors: Readonly<Record<string, number>>;
  /** Bytes that wait in all connections for their peers. */
  readonly queuedBytes: number;
}

/** The bounds of a {@linkcode ConnectionSet}; 0 for none. */
export interface ConnectionLimits {
  maxConnections: number;
  maxConnectionsPerIp: number;
  mayConnect: (address: string) => boolean;
}

/** Keeps the connections of a listener, and the count of them for each remote address where that is bounded. */
export class ConnectionSet<Frame> implements Iterable<Connection<Frame>> {
  /** What all that are added must add their waiting bytes up in: counting them anew for each look would take long. */
  readonly total: QueuedBytes = { queuedBytes: 0 };
  #limits: ConnectionLimits;
  readonly #connections = new Set<Connection<Frame>>();
  readonly #perIp = new Map<string, number>();
  readonly #closed: Record<CloseType, number> = {
    "natural": 0,
    "local": 0,
    "reset": 0,
    "tls-failed": 0,
    "write-failed": 0,
    "slow-reader": 0,
    "framing": 0,
    "timeout": 0,
    "unauthorized": 0,
    "handler-failed": 0,
  };
  #peak = 0;
  readonly #refusals: Record<Refusal["limit"], number> = {
    "max-connections": 0,
    "max-connections-per-ip": 0,
    "address": 0,
  };
  // Names are of this side's code, and so are few.
  readonly #timeouts = new Map<string, number>();
  readonly #framingErrors = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): Iterator<Connection<Frame>> {
    return this.#connections.values();
  }

  /** Addresses that a count is kept for: those that have a connection, and 0 where they are not bounded. */
  get countedAddresses(): number {
    return this.#perIp.size;
  }

  /** Changes the bounds. Connections over a lower one stay. */
  setLimits(limits: Partial<ConnectionLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#perIp.clear();
    for (const connection of this) this.#countIp(connection, 1);
  }

  /** Whether there is no room for anybody. */
  get full(): boolean {
    const { maxConnections } = this.#limits;
    return maxConnections > 0 && this.size >= maxConnections;
  }

  /** Why one more from this address may not stand, or `undefined` where it may; a refusal is counted. */
  refusal(hostname: string): Refusal | undefined {
    const refusal = this.#refusal(hostname);
    if (refusal !== undefined) this.#refusals[refusal.limit]++;
    return refusal;
  }

  add(connection: Connection<Frame>): void {
    this.#connections.add(connection);
    this.#peak = Math.max(this.#peak, this.size);
    this.#countIp(connection, 1);
  }

  remove(connection: Connection<Frame>, reason: CloseReason): void {
    this.#connections.delete(connection);
    this.#closed[reason.type]++;
    if (reason.type === "timeout") countOne(this.#timeouts, reason.which);
    if (reason.type === "framing") countOne(this.#framingErrors, reason.error.code);
    this.#countIp(connection, -1);
  }

  counts(): ConnectionCounts {
    return {
      connections: this.size,
      peakConnections: this.#peak,
      refused: Object.values(this.#refusals).reduce((sum, count) => sum + count, 0),
      refusals: { ...this.#refusals },
      closed: { ...this.#closed },
      timeouts: Object.fromEntries(this.#timeouts),
      framingErrors: Object.fromEntries(this.#framingErrors),
      queuedBytes: this.total.queuedBytes,
    };
  }

  #refusal(hostname: string): Refusal | undefined {
    const { maxConnections, maxConnectionsPerIp, mayConnect } = this.#limits;
    if (!mayConnect(hostname)) return { limit: "address", why: "not allowed from this address" };
    if (this.full) return { limit: "max-connections", why: `busy: ${plural(maxConnections, OPEN)} open` };
    if (maxConnectionsPerIp > 0 && (this.#perIp.get(hostname) ?? 0) >= maxConnectionsPerIp) {
      const why = `busy: ${plural(maxConnectionsPerIp, OPEN)} open from this address`;
      return { limit: "max-connections-per-ip", why };
    }
    return undefined;
  }

  #countIp(connection: Connection<Frame>, by: number): void {
    if (this.#limits.maxConnectionsPerIp === 0) return;
    const { hostname } = connection.remote;
    const count = (this.#perIp.get(hostname) ?? 0) + by;
    if (count > 0) this.#perIp.set(hostname, count);
    else this.#perIp.delete(hostname);
  }
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

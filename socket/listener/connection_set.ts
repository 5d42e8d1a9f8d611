/** The open connections of a listener, with counters and limits. @module */
import type { Connection } from "../connection.ts";
import { plural } from "../../internal/plural.ts";
import type { CloseReason, CloseType } from "../errors.ts";
import type { QueuedBytes } from "../connection/writer.ts";

const OPEN = { one: "connection is", many: "connections are" };

/** The reason why a peer was refused. */
export interface Refusal {
  /** The limit that it exceeded; `address` if `mayConnect` returned `false`. */
  readonly limit: "max-connections" | "max-connections-per-ip" | "address";
  /** The same as text. */
  readonly why: string;
}

/** Counters of a {@linkcode ConnectionSet}. */
export interface ConnectionCounts {
  /** Open connections. */
  readonly connections: number;
  /** Maximum of `connections` so far. */
  readonly peakConnections: number;
  /** Refused peers. */
  readonly refused: number;
  /** Refused peers by limit. */
  readonly refusals: Readonly<Record<Refusal["limit"], number>>;
  /** Closed connections by the type of their reason. */
  readonly closed: Readonly<Record<CloseType, number>>;
  /** Connections closed by a timeout, by its name: `idle`, `first line`, `write`, `drain`, and those of handlers. */
  readonly timeouts: Readonly<Record<string, number>>;
  /** Connections closed by a framing error, by its code: `line-too-long`, `invalid-utf8`, … */
  readonly framingErrors: Readonly<Record<string, number>>;
  /** Pending bytes of all connections. */
  readonly queuedBytes: number;
}

/** The limits of a {@linkcode ConnectionSet}; 0 disables. */
export interface ConnectionLimits {
  maxConnections: number;
  maxConnectionsPerIp: number;
  mayConnect: (address: string) => boolean;
}

/** Keeps the connections of a listener, and their number for each remote address if that is limited. */
export class ConnectionSet<Frame> implements Iterable<Connection<Frame>> {
  /** The sum to which all connections add their pending bytes, because adding them up for each `counts()` would be slow. */
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
  // These names come from code, not from peers, so there are few.
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

  /** Number of addresses with a count: those with a connection, or 0 if they are not limited. */
  get countedAddresses(): number {
    return this.#perIp.size;
  }

  /** Changes the limits. Connections over a lower limit stay open. */
  setLimits(limits: Partial<ConnectionLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#perIp.clear();
    for (const connection of this) this.#countIp(connection, 1);
  }

  /** Whether every further peer exceeds `maxConnections`. */
  get full(): boolean {
    const { maxConnections } = this.#limits;
    return maxConnections > 0 && this.size >= maxConnections;
  }

  /** Returns the reason to refuse another peer from this address, and counts it; or `undefined` if it is admitted. */
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

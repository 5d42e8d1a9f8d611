/** The open connections of a server and those that closed recently, for `/connections`. @module */
import type { CloseReason, CloseType } from "../socket/errors.ts";
import { CLOSED_BY_OPERATOR, describeCloseReason } from "../socket/errors.ts";
import { type Address, formatAddress } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import { printable } from "../internal/printable.ts";
import { type ConnectionQuery, selectPage } from "./connection_query.ts";
import type { ConnectionList } from "./target.ts";

/** A connection as the directory reads it, whatever its frames are. */
export interface ListedConnection {
  readonly id: number;
  readonly remote: Address;
  stats(): {
    readonly openedAt: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly framesIn: number;
    readonly framesOut: number;
    readonly queuedBytes: number;
  };
}

/** An open connection, which can be closed. */
export interface OpenConnection extends ListedConnection {
  close(why: CloseReason): Promise<CloseReason>;
  abort(why: CloseReason): void;
}

/** A connection in a list. Times are ms since 1970 or in ms, sizes in bytes. */
export interface ConnectionRow {
  readonly id: number;
  readonly address: string;
  readonly since: number;
  /** Time since a byte moved, measured once per second. For a closed connection: how long ago it closed. */
  readonly idle: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly linesIn: number;
  readonly linesOut: number;
  /** Messages that the connection sent and that have no ok yet. */
  readonly pending: number;
  /** Bytes that wait to be sent to it. */
  readonly queued: number;
  /** Only of a closed connection. */
  readonly until?: number;
  readonly reason?: CloseType;
  readonly detail?: string;
}

/** The connections that a {@linkcode ConnectionDirectory} lists. */
export interface ConnectionSource {
  readonly open: () => Iterable<OpenConnection>;
  /** Messages without an ok by the connection that sent them. Default: none. */
  readonly pending?: (() => ReadonlyMap<unknown, number>) | undefined;
  /** The clock of the connections. */
  readonly clock: Clock;
  /** ms since 1970 at time 0 of that clock. */
  readonly epoch: number;
}

const KEPT = 10_000;
/** Longest wait in ms for a client to close its side. */
const CLOSE_TIMEOUT = 500;

interface Closed extends Omit<ConnectionRow, "idle"> {
  readonly until: number;
}

/** Lists connections, and keeps the last 10,000 that have closed. */
export class ConnectionDirectory implements ConnectionList {
  readonly #source: ConnectionSource;
  readonly #closed: Closed[] = [];
  #oldest = 0;
  /** Bytes of closed connections. */
  #closedIn = 0;
  #closedOut = 0;
  #activity = new Map<ListedConnection, { bytes: number; since: number }>();

  constructor(source: ConnectionSource) {
    this.#source = source;
  }

  /** Keeps a connection that has closed. */
  remember(connection: ListedConnection, reason: CloseReason): void {
    const { clock, epoch } = this.#source;
    const stats = connection.stats();
    this.#closedIn += stats.bytesIn;
    this.#closedOut += stats.bytesOut;
    this.#activity.delete(connection);
    const closed: Closed = {
      ...describe(connection, stats, epoch),
      pending: 0,
      until: Math.round(epoch + clock.now()),
      reason: reason.type,
      detail: printable(describeCloseReason(reason)),
    };
    if (this.#closed.length < KEPT) this.#closed.push(closed);
    else this.#closed[this.#oldest++ % KEPT] = closed;
  }

  /** Looks which connections have moved bytes since the last call, and returns the totals of all there ever were. */
  sample(): { readonly bytesIn: number; readonly bytesOut: number } {
    const now = this.#source.clock.now();
    let [bytesIn, bytesOut] = [this.#closedIn, this.#closedOut];
    const before = this.#activity;
    this.#activity = new Map();
    for (const connection of this.#source.open()) {
      const stats = connection.stats();
      bytesIn += stats.bytesIn;
      bytesOut += stats.bytesOut;
      const bytes = stats.bytesIn + stats.bytesOut;
      let seen = before.get(connection);
      if (seen === undefined) seen = { bytes, since: bytes === 0 ? stats.openedAt : now };
      else if (seen.bytes !== bytes) Object.assign(seen, { bytes, since: now });
      this.#activity.set(connection, seen);
    }
    return { bytesIn, bytesOut };
  }

  /** Returns the part of the list that a query asks for. */
  list(query: ConnectionQuery): object {
    const { clock, epoch } = this.#source;
    const at = Math.round(epoch + clock.now());
    const rows = query.state === "closed"
      ? this.#closed.map((row): ConnectionRow => ({ ...row, idle: at - row.until }))
      : this.#openRows();
    const { page, matched } = selectPage(rows, query);
    const { offset, limit, state, sort } = query;
    return { now: at, state, sort, total: rows.length, matched, offset, limit, connections: page };
  }

  /** Closes a connection after telling it why. Resolves to the reason, or to `undefined` if it is not open. */
  async close(id: number): Promise<CloseReason | undefined> {
    for (const connection of this.#source.open()) {
      if (connection.id !== id) continue;
      const closing = connection.close(CLOSED_BY_OPERATOR);
      const late = this.#source.clock.after(CLOSE_TIMEOUT, () => connection.abort(CLOSED_BY_OPERATOR));
      try {
        return await closing;
      } finally {
        late.cancel();
      }
    }
    return undefined;
  }

  #openRows(): ConnectionRow[] {
    const { open, pending, clock, epoch } = this.#source;
    const counts = pending?.();
    const now = clock.now();
    return Array.from(open(), (connection) => {
      const seen = this.#activity.get(connection);
      return new OpenRow(connection, { pending: counts?.get(connection) ?? 0, seen, now, epoch });
    });
  }
}

interface OpenRowFacts {
  readonly pending: number;
  readonly seen: { readonly bytes: number; readonly since: number } | undefined;
  readonly now: number;
  readonly epoch: number;
}

/**
 * The row of an open connection. Most rows are only sorted, so that it describes itself when it is asked: describing 10,000
 * connections takes long enough for others to notice.
 */
class OpenRow implements ConnectionRow {
  readonly #connection: ListedConnection;
  readonly #stats: ReturnType<ListedConnection["stats"]>;
  readonly #facts: OpenRowFacts;

  constructor(connection: ListedConnection, facts: OpenRowFacts) {
    this.#connection = connection;
    this.#stats = connection.stats();
    this.#facts = facts;
  }

  get id(): number {
    return this.#connection.id;
  }

  get address(): string {
    return printable(formatAddress(this.#connection.remote));
  }

  get since(): number {
    return Math.round(this.#facts.epoch + this.#stats.openedAt);
  }

  get idle(): number {
    const { seen, now } = this.#facts;
    const quiet = seen !== undefined && seen.bytes === this.#stats.bytesIn + this.#stats.bytesOut;
    return quiet ? Math.round(now - seen.since) : 0;
  }

  get bytesIn(): number {
    return this.#stats.bytesIn;
  }

  get bytesOut(): number {
    return this.#stats.bytesOut;
  }

  get linesIn(): number {
    return this.#stats.framesIn;
  }

  get linesOut(): number {
    return this.#stats.framesOut;
  }

  get queued(): number {
    return this.#stats.queuedBytes;
  }

  get pending(): number {
    return this.#facts.pending;
  }

  /** Returns the row as plain data. */
  toJSON(): ConnectionRow {
    const { idle, pending } = this;
    return { ...describe(this.#connection, this.#stats, this.#facts.epoch), idle, pending };
  }
}

function describe(
  { id, remote }: ListedConnection,
  stats: ReturnType<ListedConnection["stats"]>,
  epoch: number,
): Omit<ConnectionRow, "idle" | "pending"> {
  return {
    id,
    address: printable(formatAddress(remote)),
    since: Math.round(epoch + stats.openedAt),
    bytesIn: stats.bytesIn,
    bytesOut: stats.bytesOut,
    linesIn: stats.framesIn,
    linesOut: stats.framesOut,
    queued: stats.queuedBytes,
  };
}

/** The open connections of a server and those that closed recently, for `/connections`. @module */
import type { CloseReason } from "../socket/errors.ts";
import { CLOSED_BY_OPERATOR, describeCloseReason } from "../socket/errors.ts";
import type { Clock } from "../internal/clock.ts";
import { printable } from "../internal/printable.ts";
import type { ConnectionPage } from "./connection_page.ts";
import type { ConnectionQuery } from "./connection_query.ts";
import { addressText, type Closed, type ConnectionRow, type ListedConnection } from "./connection_row.ts";
import { type Activity, OpenRows } from "./open_rows.ts";
import { type FieldReader, PageSelection } from "./page_selection.ts";
import type { ConnectionList } from "./target.ts";
import { TimeSlices } from "./time_slices.ts";

/** An open connection, which can be closed. */
export interface OpenConnection extends ListedConnection {
  close(why: CloseReason): Promise<CloseReason>;
  abort(why: CloseReason): void;
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

/** Rows between two looks at the clock. */
const STEP = 32;

/** Lists connections, and keeps the last 10,000 that have closed. */
export class ConnectionDirectory implements ConnectionList {
  readonly #source: ConnectionSource;
  readonly #closed: Closed[] = [];
  #oldest = 0;
  /** Bytes of closed connections. */
  #closedIn = 0;
  #closedOut = 0;
  /** By id: a map of objects is slower. */
  readonly #activity = new Map<number, Activity>();

  constructor(source: ConnectionSource) {
    this.#source = source;
  }

  /** Keeps a connection that has closed. */
  remember(connection: ListedConnection, reason: CloseReason): void {
    const { clock, epoch } = this.#source;
    const stats = connection.stats();
    this.#closedIn += stats.bytesIn;
    this.#closedOut += stats.bytesOut;
    this.#activity.delete(connection.id);
    const closed: Closed = {
      id: connection.id,
      address: addressText(connection.remote),
      since: Math.round(epoch + stats.openedAt),
      bytesIn: stats.bytesIn,
      bytesOut: stats.bytesOut,
      linesIn: stats.framesIn,
      linesOut: stats.framesOut,
      queued: stats.queuedBytes,
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
    for (const connection of this.#source.open()) {
      const stats = connection.stats();
      bytesIn += stats.bytesIn;
      bytesOut += stats.bytesOut;
      const bytes = stats.bytesIn + stats.bytesOut;
      const seen = this.#activity.get(connection.id);
      if (seen === undefined) {
        const since = bytes === 0 ? stats.openedAt : now;
        this.#activity.set(connection.id, { bytes, since, address: undefined });
      } else if (seen.bytes !== bytes) {
        seen.bytes = bytes;
        seen.since = now;
      }
    }
    return { bytesIn, bytesOut };
  }

  /** Returns the part of the list that a query asks for. A connection that opens or closes while it reads may be missing. */
  list(query: ConnectionQuery): Promise<ConnectionPage> {
    return query.state === "closed" ? this.#listClosed(query) : this.#listOpen(query);
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

  async #listOpen(query: ConnectionQuery): Promise<ConnectionPage> {
    const { open, pending, clock, epoch } = this.#source;
    const activity = this.#activity;
    const rows = new OpenRows({ now: clock.now(), epoch, pending: pending?.() ?? new Map(), activity });
    const selection = await this.#select(query, open(), (connection, field) => rows.read(connection, field));
    return this.#page(query, selection, selection.page().map((item) => rows.row(item, selection.field)));
  }

  async #listClosed(query: ConnectionQuery): Promise<ConnectionPage> {
    const at = this.#now();
    const idle = ({ until }: Closed) => at - until;
    const read: FieldReader<Closed> = (row, field) => field === "idle" ? idle(row) : row[field];
    const selection = await this.#select(query, this.#closed.slice(), read);
    return this.#page(query, selection, selection.page().map(({ item }) => ({ ...item, idle: idle(item) })));
  }

  async #select<Item>(
    query: ConnectionQuery,
    items: Iterable<Item>,
    read: FieldReader<Item>,
  ): Promise<PageSelection<Item>> {
    const selection = new PageSelection(query, read);
    const slices = new TimeSlices(this.#source.clock);
    for (const item of items) {
      selection.add(item);
      if (selection.total % STEP === 0 && slices.over) await slices.next();
    }
    return selection;
  }

  #page(
    { offset, limit, state, sort }: ConnectionQuery,
    { total, matched }: { readonly total: number; readonly matched: number },
    rows: Iterable<ConnectionRow>,
  ): ConnectionPage {
    return { now: this.#now(), state, sort, total, matched, offset, limit, rows };
  }

  /** ms since 1970. */
  #now(): number {
    return Math.round(this.#source.epoch + this.#source.clock.now());
  }
}

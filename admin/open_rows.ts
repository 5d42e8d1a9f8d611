/** The rows of open connections. @module */
import { addressText, type ConnectionRow, type ListedConnection } from "./connection_row.ts";
import type { Selected, SortField } from "./page_selection.ts";

/** Facts that the directory keeps about an open connection. */
export interface Activity {
  bytes: number;
  /** When it last moved a byte, as far as it is known. */
  since: number;
  /** Kept once it was listed: making it takes longer than everything else in a row. */
  address: string | undefined;
}

/** The moment of a list of open connections. */
export interface ListMoment {
  readonly now: number;
  /** ms since 1970 at time 0. */
  readonly epoch: number;
  readonly pending: ReadonlyMap<unknown, number>;
  /** By id. */
  readonly activity: ReadonlyMap<number, Activity>;
}

/** Reads fields and rows of open connections. No object is made per connection until it is on a page. */
export class OpenRows {
  readonly #moment: ListMoment;

  constructor(moment: ListMoment) {
    this.#moment = moment;
  }

  /** Reads a field of a connection; an open one has no close reason. */
  read(connection: ListedConnection, field: SortField | "reason"): string | number | undefined {
    switch (field) {
      case "id":
        return connection.id;
      case "address":
        return this.#addressOf(connection);
      case "since":
        return Math.round(this.#moment.epoch + connection.stats().openedAt);
      case "pending":
        return this.#moment.pending.get(connection) ?? 0;
      case "idle": {
        const { bytesIn, bytesOut } = connection.stats();
        return this.#idle(connection.id, bytesIn + bytesOut);
      }
      case "bytesIn":
      case "bytesOut":
        return connection.stats()[field];
      case "linesIn":
        return connection.stats().framesIn;
      case "linesOut":
        return connection.stats().framesOut;
      case "queued":
        return connection.stats().queuedBytes;
      case "reason":
        return undefined;
    }
  }

  /** Returns a row. The field that it was sorted by has the value of that time, so that the order is never wrong. */
  row({ item: connection, key }: Selected<ListedConnection>, sortedBy: SortField): ConnectionRow {
    const { openedAt, bytesIn, bytesOut, framesIn, framesOut, queuedBytes } = connection.stats();
    const { epoch, pending } = this.#moment;
    const row = {
      id: connection.id,
      address: this.#addressOf(connection),
      since: Math.round(epoch + openedAt),
      bytesIn,
      bytesOut,
      linesIn: framesIn,
      linesOut: framesOut,
      queued: queuedBytes,
      idle: this.#idle(connection.id, bytesIn + bytesOut),
      pending: pending.get(connection) ?? 0,
    };
    if (sortedBy !== "address" && typeof key === "number") row[sortedBy] = key;
    return row;
  }

  #idle(id: number, bytes: number): number {
    const { activity, now } = this.#moment;
    const seen = activity.get(id);
    return seen?.bytes === bytes ? Math.max(0, Math.round(now - seen.since)) : 0;
  }

  #addressOf(connection: ListedConnection): string {
    const seen = this.#moment.activity.get(connection.id);
    if (seen === undefined) return addressText(connection.remote);
    return seen.address ??= addressText(connection.remote);
  }
}

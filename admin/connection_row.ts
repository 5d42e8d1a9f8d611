/** The rows of connection lists, and the connections behind them. @module */
import type { CloseType } from "../socket/errors.ts";
import { type Address, formatAddress } from "../socket/network.ts";
import { printable } from "../internal/printable.ts";

/** Counters of a connection. */
export interface ListedStats {
  readonly openedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly queuedBytes: number;
}

/** A connection as lists read it, whatever its frames are. */
export interface ListedConnection {
  readonly id: number;
  readonly remote: Address;
  stats(): ListedStats;
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

/** A closed connection. */
export interface Closed extends Omit<ConnectionRow, "idle"> {
  readonly until: number;
  readonly reason: CloseType;
  readonly detail: string;
}

/** Returns an address for a list. Only the path of a Unix socket can hold characters that are not printable. */
export function addressText(address: Address): string {
  const text = formatAddress(address);
  return /^[0-9a-f.:[\]]+$/.test(text) ? text : printable(text);
}

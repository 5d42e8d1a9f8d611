/** One page of a connection list. @module */
import { systemClock } from "../socket/tcp.ts";
import type { ConnectionQuery } from "./connection_query.ts";
import type { ConnectionRow } from "./connection_row.ts";
import { TimeSlices } from "./time_slices.ts";

/** The part of a connection list that a query asks for. */
export interface ConnectionPage extends Pick<ConnectionQuery, "state" | "sort" | "offset" | "limit"> {
  /** ms since 1970. */
  readonly now: number;
  /** All connections, and those that pass the filters. */
  readonly total: number;
  readonly matched: number;
  /** Number of processes that hang, whose connections are missing. Default 0. */
  readonly unanswered?: number;
  /** The rows, which are described as they are read. */
  readonly rows: Iterable<ConnectionRow>;
}

/** Rows that are made to text together. */
const STEP = 32;
/** Length of the pieces: a write costs as much as many rows. */
const PIECE = 64 * 1024;

/** Yields a page as JSON. It takes slices of about 1 ms. */
export async function* connectionPageText({ rows, ...head }: ConnectionPage): AsyncGenerator<string> {
  const slices = new TimeSlices(systemClock);
  let text = `${JSON.stringify(head).slice(0, -1)},"connections":[`;
  let separator = "";
  for (const some of chunks(rows, STEP)) {
    text += separator + JSON.stringify(some).slice(1, -1);
    separator = ",";
    if (text.length >= PIECE) {
      yield text;
      text = "";
    }
    if (slices.over) await slices.next();
  }
  yield `${text}]}\n`;
}

function* chunks<Item>(items: Iterable<Item>, size: number): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

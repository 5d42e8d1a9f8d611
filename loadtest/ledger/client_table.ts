/** What is known of every client of one part of a plan, in typed arrays: 40 bytes a client. Pure. @module */

/** Which clients a table has: every `parts`-th of `clients`, beginning with `part`. */
export interface ClientSlice {
  readonly clients: number;
  /** Default 0. */
  readonly part?: number;
  /** Default 1: all clients. */
  readonly parts?: number;
}

/** {@linkcode ClientTable} as plain data: the columns, by name. */
export interface ClientTableSnapshot {
  readonly part: number;
  readonly parts: number;
  readonly columns: ClientColumns;
}

/** A value for each client; times in ms, NaN for what has not happened. */
export interface ClientColumns {
  readonly plannedAt: Float64Array;
  readonly startedAt: Float64Array;
  /** Of the first ok of its message. */
  readonly ackedAt: Float64Array;
  /** How often it sent its message. */
  readonly sends: Uint32Array;
  readonly connects: Uint32Array;
  /** How often it could not connect. */
  readonly refusals: Uint32Array;
  /** The row of its last connection, -1 for none yet. */
  readonly lastConnection: Int32Array;
}

const COPIED = ["plannedAt", "startedAt", "ackedAt", "sends", "connects", "refusals"] as const;

/** Clients by index. */
export class ClientTable {
  readonly clients: number;
  readonly part: number;
  readonly parts: number;
  readonly columns: ClientColumns;

  constructor({ clients, part = 0, parts = 1 }: ClientSlice) {
    this.clients = clients;
    this.part = part;
    this.parts = parts;
    const rows = Math.max(0, Math.ceil((clients - part) / parts));
    this.columns = {
      plannedAt: new Float64Array(rows).fill(NaN),
      startedAt: new Float64Array(rows).fill(NaN),
      ackedAt: new Float64Array(rows).fill(NaN),
      sends: new Uint32Array(rows),
      connects: new Uint32Array(rows),
      refusals: new Uint32Array(rows),
      lastConnection: new Int32Array(rows).fill(-1),
    };
  }

  /** The row of client `index`, or -1 when it is not of this part. */
  row(index: number): number {
    if (index < 0 || index >= this.clients || index % this.parts !== this.part) return -1;
    return (index - this.part) / this.parts;
  }

  /** The client at `row`. */
  index(row: number): number {
    return this.part + row * this.parts;
  }

  /** Takes over the rows of another part; `firstConnection` is where its connections begin here. */
  absorb({ part, parts, columns }: ClientTableSnapshot, firstConnection: number): void {
    const own = this.columns;
    columns.sends.forEach((_, theirRow) => {
      const row = this.row(part + theirRow * parts);
      if (row < 0) throw new RangeError(`Client ${part + theirRow * parts} is not of this table`);
      for (const name of COPIED) own[name][row] = columns[name][theirRow] ?? NaN;
      const connection = columns.lastConnection[theirRow] ?? -1;
      own.lastConnection[row] = connection < 0 ? -1 : firstConnection + connection;
    });
  }

  snapshot(): ClientTableSnapshot {
    return { part: this.part, parts: this.parts, columns: this.columns };
  }
}

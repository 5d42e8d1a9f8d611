/** Records of each client of one part of a plan, in typed arrays: 40 bytes per client. Pure. @module */

/** The clients of a table: every `parts`-th of `clients`, starting with `part`. */
export interface ClientSlice {
  readonly clients: number;
  /** Default 0. */
  readonly part?: number;
  /** Default 1: all clients. */
  readonly parts?: number;
  /**
   * Adds a row when a client is first seen, instead of all rows at the start. For histories from files: their memory
   * then depends on their lines, not on the number of clients that they claim. Default `false`.
   */
  readonly sparse?: boolean;
}

/** {@linkcode ClientTable} as plain data: the columns, by name. */
export interface ClientTableSnapshot {
  readonly part: number;
  readonly parts: number;
  readonly columns: ClientColumns;
}

/** A value per client; times in ms, NaN for what has not happened. */
export interface ClientColumns {
  readonly plannedAt: Float64Array;
  readonly startedAt: Float64Array;
  /** When the first ok for its message arrived. */
  readonly ackedAt: Float64Array;
  /** Number of times that it sent its message. */
  readonly sends: Uint32Array;
  readonly connects: Uint32Array;
  /** Failed attempts to connect. */
  readonly refusals: Uint32Array;
  /** The row of its last connection, or -1. */
  readonly lastConnection: Int32Array;
}

const COPIED = ["plannedAt", "startedAt", "ackedAt", "sends", "connects", "refusals"] as const;
const FIRST_ROOM = 64;

/** Clients by row. */
export class ClientTable {
  /** Number of clients of the whole plan. */
  readonly clients: number;
  readonly part: number;
  readonly parts: number;
  /** For a sparse table: the row of each client seen so far, and the client of each row. */
  readonly #sparse: { readonly rows: Map<number, number>; readonly indices: number[] } | undefined;
  #room: ClientColumns;
  #columns: ClientColumns;

  constructor({ clients, part = 0, parts = 1, sparse = false }: ClientSlice) {
    this.clients = clients;
    this.part = part;
    this.parts = parts;
    this.#sparse = sparse ? { rows: new Map(), indices: [] } : undefined;
    this.#room = createColumns(sparse ? FIRST_ROOM : Math.max(0, Math.ceil((clients - part) / parts)));
    this.#columns = sparse ? trim(this.#room, 0) : this.#room;
  }

  /** The columns, with a value per row. */
  get columns(): ClientColumns {
    return this.#columns;
  }

  /** Returns the row of client `index`, or -1 if it is not in this table. */
  row(index: number): number {
    if (this.#sparse !== undefined) return this.#sparse.rows.get(index) ?? -1;
    return this.#isInSlice(index) ? (index - this.part) / this.parts : -1;
  }

  /** Returns the row of client `index`, which a sparse table adds; -1 if the client is not in the slice. */
  ensureRow(index: number): number {
    const row = this.row(index);
    return row >= 0 || this.#sparse === undefined || !this.#isInSlice(index) ? row : this.#addRow(index);
  }

  /** Returns the client at `row`. */
  index(row: number): number {
    return this.#sparse === undefined ? this.part + row * this.parts : this.#sparse.indices[row] ?? -1;
  }

  /** Copies the rows of another part. `firstConnection` is the row where its connections start in this ledger. */
  absorb({ part, parts, columns }: ClientTableSnapshot, firstConnection: number): void {
    const own = this.columns;
    columns.sends.forEach((_, theirRow) => {
      const row = this.row(part + theirRow * parts);
      if (row < 0) throw new RangeError(`Cannot absorb client ${part + theirRow * parts}: not in this table`);
      for (const name of COPIED) own[name][row] = columns[name][theirRow] ?? NaN;
      const connection = columns.lastConnection[theirRow] ?? -1;
      own.lastConnection[row] = connection < 0 ? -1 : firstConnection + connection;
    });
  }

  /** Returns the table as plain data; not for sparse tables. */
  snapshot(): ClientTableSnapshot {
    return { part: this.part, parts: this.parts, columns: this.columns };
  }

  #isInSlice(index: number): boolean {
    return index >= 0 && index < this.clients && index % this.parts === this.part;
  }

  #addRow(index: number): number {
    const { rows, indices } = this.#sparse!;
    const row = indices.push(index) - 1;
    rows.set(index, row);
    if (row === this.#room.sends.length) {
      const larger = createColumns(2 * row);
      for (const name of [...COPIED, "lastConnection"] as const) larger[name].set(this.#room[name]);
      this.#room = larger;
    }
    this.#columns = trim(this.#room, row + 1);
    return row;
  }
}

function createColumns(rows: number): ClientColumns {
  return {
    plannedAt: new Float64Array(rows).fill(NaN),
    startedAt: new Float64Array(rows).fill(NaN),
    ackedAt: new Float64Array(rows).fill(NaN),
    sends: new Uint32Array(rows),
    connects: new Uint32Array(rows),
    refusals: new Uint32Array(rows),
    lastConnection: new Int32Array(rows).fill(-1),
  };
}

function trim(columns: ClientColumns, rows: number): ClientColumns {
  return {
    plannedAt: columns.plannedAt.subarray(0, rows),
    startedAt: columns.startedAt.subarray(0, rows),
    ackedAt: columns.ackedAt.subarray(0, rows),
    sends: columns.sends.subarray(0, rows),
    connects: columns.connects.subarray(0, rows),
    refusals: columns.refusals.subarray(0, rows),
    lastConnection: columns.lastConnection.subarray(0, rows),
  };
}

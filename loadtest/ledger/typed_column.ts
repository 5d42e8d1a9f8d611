/** A column of numbers in typed arrays: what tables of a million rows are made of. Pure. @module */

/** The arrays a {@linkcode Column} may have. */
export type ColumnValues = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Initial number of rows of a column. */
const FIRST_ROOM = 64;
/**
 * Rows of a piece. A column grows by doubling up to this size, and then by pieces: copying millions of rows while requests
 * are in flight took a twentieth of the time of a request.
 */
const PIECE_BITS = 16;
const PIECE = 1 << PIECE_BITS;
const PLACE = PIECE - 1;

/** Numbers, appended and read by row. */
export class Column<Values extends ColumnValues> {
  readonly #make: (length: number) => Values;
  /** All but the last have `PIECE` rows. */
  readonly #pieces: Values[] = [];
  #last: Values;
  /** Number of rows in the last piece. */
  #end = 0;

  /** @param make Makes the array: `(n) => new Int32Array(n)` */
  constructor(make: (length: number) => Values) {
    this.#make = make;
    this.#last = make(FIRST_ROOM);
    this.#pieces.push(this.#last);
  }

  get length(): number {
    return (this.#pieces.length - 1) * PIECE + this.#end;
  }

  push(value: number): void {
    if (this.#end === this.#last.length) this.#grow();
    this.#last[this.#end++] = value;
  }

  /** Appends `value` `count` times. */
  pushTimes(value: number, count: number): void {
    for (let left = count; left > 0; left--) this.push(value);
  }

  /** The value at `row`; NaN where there is none. */
  at(row: number): number {
    return row < this.length ? this.#pieces[row >> PIECE_BITS]?.[row & PLACE] ?? NaN : NaN;
  }

  set(row: number, value: number): void {
    const piece = this.#pieces[row >> PIECE_BITS];
    if (piece !== undefined) piece[row & PLACE] = value;
  }

  /** Appends all of `values`. */
  append(values: Values): void {
    for (let from = 0; from < values.length;) {
      if (this.#end === this.#last.length) this.#grow();
      const part = values.subarray(from, from + this.#last.length - this.#end);
      this.#last.set(part, this.#end);
      from += part.length;
      this.#end += part.length;
    }
  }

  /** A copy of the values, no longer than it must be. */
  toArray(): Values {
    const { length } = this;
    const copy = this.#make(length);
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * PIECE;
      copy.set(piece.subarray(0, length - from), from);
    }
    return copy;
  }

  /** Doubles the only piece, or adds one. */
  #grow(): void {
    if (this.#last.length === PIECE) {
      this.#last = this.#make(PIECE);
      this.#pieces.push(this.#last);
      this.#end = 0;
      return;
    }
    const larger = this.#make(2 * this.#last.length);
    larger.set(this.#last);
    this.#pieces[0] = this.#last = larger;
  }
}

/** A column of numbers in a typed array that doubles as it fills: what tables of a million rows are made of. Pure. @module */

/** The arrays a {@linkcode Column} may have. */
export type ColumnValues = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Initial number of rows of a column. */
const FIRST_ROOM = 64;

/** Numbers, appended and read by row. */
export class Column<Values extends ColumnValues> {
  readonly #make: (length: number) => Values;
  #values: Values;
  #length = 0;

  /** @param make Makes the array: `(n) => new Int32Array(n)` */
  constructor(make: (length: number) => Values) {
    this.#make = make;
    this.#values = make(FIRST_ROOM);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(this.#length + 1);
    this.#values[this.#length++] = value;
  }

  /** The value at `row`; NaN where there is none. */
  at(row: number): number {
    return row < this.#length ? this.#values[row] ?? NaN : NaN;
  }

  set(row: number, value: number): void {
    this.#values[row] = value;
  }

  /** Appends all of `values`. */
  append(values: Values): void {
    const length = this.#length + values.length;
    if (length > this.#values.length) this.#grow(length);
    this.#values.set(values, this.#length);
    this.#length = length;
  }

  /** A copy of the values, no longer than it must be. */
  toArray(): Values {
    const copy = this.#make(this.#length);
    copy.set(this.#values.subarray(0, this.#length));
    return copy;
  }

  #grow(atLeast: number): void {
    const larger = this.#make(Math.max(atLeast, 2 * this.#values.length));
    larger.set(this.#values);
    this.#values = larger;
  }
}

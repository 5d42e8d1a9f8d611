/** A map by 32-bit integers whose entries are linked to each other. Pure. @module */

/** A member of a {@linkcode HashTable}. */
export interface HashEntry<Entry> {
  /** The key. */
  readonly hash: number;
  /** The next entry of the same bucket; set by the table. */
  inBucket: Entry | undefined;
}

const LEAST_BUCKETS = 64;
/** The table shrinks when it has more buckets than this for each entry. */
const SPARSE = 8;
// 2^32 divided by the golden ratio, so that the multiplier differs from what it is made of.
const GOLDEN = 0x9e3779b1;

/**
 * A map by 32-bit integers with at most one entry for each. Its entries are its nodes, and it allocates only when it grows or
 * shrinks. A `Map` whose entries come and go moves to a new table again and again: with ten thousand entries, that is half a
 * megabyte of garbage several times a second, which only a full collection frees.
 */
export class HashTable<Entry extends HashEntry<Entry>> {
  readonly #multiplier: number;
  #buckets = emptyBuckets<Entry>(LEAST_BUCKETS);
  #shift = 32 - Math.log2(LEAST_BUCKETS);
  #size = 0;

  /**
   * @param seed Integer of 32 bits. A peer that does not have it cannot predict which keys share a bucket: multiplying by a
   * secret odd number and keeping the highest bits is a universal family of hash functions (M. Dietzfelbinger et al., "A
   * Reliable Randomized Algorithm for the Closest-Pair Problem", 1997).
   */
  constructor(seed: number) {
    this.#multiplier = Math.imul(seed, GOLDEN) | 1;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Returns the entry of a key. */
  get(hash: number): Entry | undefined {
    let entry = this.#buckets[this.#indexOf(hash)];
    while (entry !== undefined && entry.hash !== hash) entry = entry.inBucket;
    return entry;
  }

  /** Adds an entry, unless its key has one. Returns whether it was added. */
  add(entry: Entry): boolean {
    const index = this.#indexOf(entry.hash);
    const first = this.#buckets[index];
    for (let other = first; other !== undefined; other = other.inBucket) {
      if (other.hash === entry.hash) return false;
    }
    entry.inBucket = first;
    this.#buckets[index] = entry;
    if (++this.#size > this.#buckets.length) this.#resize(this.#buckets.length * 2);
    return true;
  }

  /** Puts another entry of the same key in the place of one. Returns whether it was there. */
  replace(entry: Entry, other: Entry): boolean {
    if (!this.#link(entry, other)) return false;
    other.inBucket = entry.inBucket;
    entry.inBucket = undefined;
    return true;
  }

  /** Removes an entry. Returns whether it was there. */
  delete(entry: Entry): boolean {
    if (!this.#link(entry, entry.inBucket)) return false;
    entry.inBucket = undefined;
    const { length } = this.#buckets;
    if (--this.#size < length / SPARSE && length > LEAST_BUCKETS) this.#resize(length / 2);
    return true;
  }

  /** Links `other` where an entry is linked. Returns `false` if it is nowhere. */
  #link(entry: Entry, other: Entry | undefined): boolean {
    const index = this.#indexOf(entry.hash);
    let before = this.#buckets[index];
    if (before === entry) {
      this.#buckets[index] = other;
      return true;
    }
    while (before !== undefined && before.inBucket !== entry) before = before.inBucket;
    if (before === undefined) return false;
    before.inBucket = other;
    return true;
  }

  #indexOf(hash: number): number {
    return Math.imul(hash, this.#multiplier) >>> this.#shift;
  }

  #resize(length: number): void {
    const old = this.#buckets;
    this.#buckets = emptyBuckets(length);
    this.#shift = 32 - Math.log2(length);
    for (let entry of old) {
      while (entry !== undefined) {
        const next: Entry | undefined = entry.inBucket;
        const index = this.#indexOf(entry.hash);
        entry.inBucket = this.#buckets[index];
        this.#buckets[index] = entry;
        entry = next;
      }
    }
  }
}

function emptyBuckets<Entry>(length: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(length).fill(undefined);
}

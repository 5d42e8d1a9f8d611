/** What is found by a text, for texts that come, are looked up once and go. Pure. @module */

/** A member of a {@linkcode MessageIndex}. */
export interface IndexEntry {
  readonly text: string;
  /** What {@linkcode MessageIndex.hash} gave for it. */
  readonly hash: number;
}

const PRIME = 0x01000193;

/**
 * A map by text, kept by a hash of its own. A `Map` of strings would do but for what V8 makes of its keys: it enters each
 * into its table of all strings, which takes a router half of its time, and for more than 16,383 units it takes the
 * length for the hash, so that a few thousand texts of one length would stop a server.
 */
export class MessageIndex<Entry extends IndexEntry> {
  readonly #seed: number;
  readonly #byHash = new Map<number, Entry>();
  /** Those whose hash another had before: hardly ever one, where the seed is secret. */
  readonly #byText = new Map<string, Entry>();

  /** @param seed An integer of 32 bits: who does not know it cannot tell which texts share a hash. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#byHash.size + this.#byText.size;
  }

  /** 32 bits of the text from `start` of a line to its end: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo) over units of UTF-16. */
  hash(line: string, start: number): number {
    let hash = this.#seed;
    for (let i = start; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), PRIME);
    return hash;
  }

  get(text: string, hash: number): Entry | undefined {
    const entry = this.#byHash.get(hash);
    if (entry?.text === text) return entry;
    return this.#byText.size === 0 ? undefined : this.#byText.get(text);
  }

  /** Adds an entry whose text is not there yet. */
  add(entry: Entry): void {
    if (this.#byHash.has(entry.hash)) this.#byText.set(entry.text, entry);
    else this.#byHash.set(entry.hash, entry);
  }

  /** Puts another entry of the same text in the place of one. */
  replace(entry: Entry, other: Entry): void {
    if (this.#byHash.get(entry.hash) === entry) this.#byHash.set(entry.hash, other);
    else this.#byText.set(entry.text, other);
  }

  delete(entry: Entry): void {
    if (this.#byHash.get(entry.hash) === entry) this.#byHash.delete(entry.hash);
    else this.#byText.delete(entry.text);
  }
}

/** A map by text, for texts that are looked up once and then removed. Pure. @module */

import type { Line } from "../../socket/codecs/line.ts";
import { type HashEntry, HashTable } from "./hash_table.ts";

/** A member of a {@linkcode MessageIndex}. */
export interface IndexEntry<Entry> extends HashEntry<Entry> {
  /** Returns the key. */
  key(): string;
  /** Whether the key is the text that begins at byte `start` of a line. */
  isText(line: Line, start: number): boolean;
  /** The result of {@linkcode MessageIndex.hash} for the text. */
  readonly hash: number;
}

const PRIME = 0x01000193;

/**
 * A map by text with its own hash function. A `Map` of strings costs more: V8 interns each key, which takes half of a
 * router's time, and it hashes strings over 16,383 units by their length only, so that a few thousand texts of one length
 * would stop a server.
 */
export class MessageIndex<Entry extends IndexEntry<Entry>> {
  readonly #seed: number;
  readonly #byHash: HashTable<Entry>;
  /** Entries whose hash was taken. With a secret seed, there is hardly ever one. */
  readonly #byText = new Map<string, Entry>();

  /** @param seed Integer of 32 bits. A peer that does not have it cannot predict which texts share a hash. */
  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#byHash = new HashTable(seed);
  }

  /** Number of entries. */
  get size(): number {
    return this.#byHash.size + this.#byText.size;
  }

  /** Returns a 32-bit hash of a line from byte `from` to its end: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo). */
  hash({ bytes, start, end }: Line, from: number): number {
    let hash = this.#seed;
    for (let i = start + from; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME);
    return hash;
  }

  /** Returns the entry of the text that begins at byte `start` of a line. */
  get(line: Line, start: number, hash: number): Entry | undefined {
    const entry = this.#byHash.get(hash);
    if (entry?.isText(line, start)) return entry;
    return this.#byText.size === 0 ? undefined : this.#byText.get(line.text(start));
  }

  /** Adds an entry with a new text. */
  add(entry: Entry): void {
    if (!this.#byHash.add(entry)) this.#byText.set(entry.key(), entry);
  }

  /** Replaces an entry with another of the same text. */
  replace(entry: Entry, other: Entry): void {
    if (!this.#byHash.replace(entry, other)) this.#byText.set(entry.key(), other);
  }

  /** Removes an entry. */
  delete(entry: Entry): void {
    if (!this.#byHash.delete(entry)) this.#byText.delete(entry.key());
  }
}

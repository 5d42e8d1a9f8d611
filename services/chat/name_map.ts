/** Values by name, and names that look alike. Pure. @module */
import { foldName } from "./name.ts";

interface Entry<Value> {
  readonly name: string;
  readonly value: Value;
}

/** Returns forms of a name. Two names look alike if they have one in common. */
export type Skeletons = (name: string) => readonly string[];

/** A map by name, whatever the case and normalization form, that also finds names which only look the same. */
export class NameMap<Value> {
  readonly #skeletons: Skeletons;
  readonly #entries = new Map<string, Entry<Value>>();
  /** Entries by each of their skeletons. */
  readonly #lookAlikes = new Map<string, Set<Entry<Value>>>();

  constructor(skeletons: Skeletons) {
    this.#skeletons = skeletons;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Names as they were set, in no particular order. */
  names(): string[] {
    return [...this.#entries.values()].map(({ name }) => name);
  }

  values(): Iterable<Value> {
    return this.#entries.values().map(({ value }) => value);
  }

  get(name: string): Value | undefined {
    return this.#entries.get(foldName(name))?.value;
  }

  has(name: string): boolean {
    return this.#entries.has(foldName(name));
  }

  set(name: string, value: Value): void {
    this.delete(name);
    const entry = { name, value };
    this.#entries.set(foldName(name), entry);
    for (const skeleton of this.#skeletons(name)) {
      const alike = this.#lookAlikes.get(skeleton);
      if (alike) alike.add(entry);
      else this.#lookAlikes.set(skeleton, new Set([entry]));
    }
  }

  delete(name: string): void {
    const entry = this.#entries.get(foldName(name));
    if (!entry) return;
    this.#entries.delete(foldName(name));
    for (const skeleton of this.#skeletons(entry.name)) {
      const alike = this.#lookAlikes.get(skeleton);
      alike?.delete(entry);
      if (alike?.size === 0) this.#lookAlikes.delete(skeleton);
    }
  }

  /** Returns a different name in the map that people may take for this one. */
  lookAlike(name: string): string | undefined {
    const folded = foldName(name);
    for (const skeleton of this.#skeletons(name)) {
      for (const entry of this.#lookAlikes.get(skeleton) ?? []) {
        if (foldName(entry.name) !== folded) return entry.name;
      }
    }
    return undefined;
  }
}

/** Names of the steps under which requests are reported. Pure. @module */

/** Most distinct steps, because a scenario whose texts all differ must not fill the memory. */
const MOST_STEPS = 64;
/** Most UTF-16 units of a name. */
const LONGEST = 40;
const OTHER = "other requests";
const UNNAMED = "request";
const SPACE = 32;

/** Names of steps; those beyond the first 64 share one. */
export class StepNames {
  readonly #known = new Set<string>();
  /** The last first word that is a name as it is: most requests have the same as the one before. */
  #last = UNNAMED;

  /** The step of a frame: the first word of a text, or the first item of an array. */
  of(frame: unknown): string {
    const text = typeof frame === "string" ? frame : Array.isArray(frame) ? frame[0] : undefined;
    if (typeof text !== "string") return UNNAMED;
    if (startsWithWord(text, this.#last)) return this.#last;
    const end = text.indexOf(" ");
    const word = end < 0 ? text : text.slice(0, end);
    const name = this.named(word);
    if (name === word) this.#last = name;
    return name;
  }

  /** The step of all frames if it is the same, or that of each. */
  ofEach(frames: readonly unknown[]): string | readonly string[] {
    const first = this.of(frames[0]);
    for (let index = 1; index < frames.length; index++) {
      if (this.of(frames[index]) !== first) return frames.map((frame) => this.of(frame));
    }
    return first;
  }

  /** The step with the given name. */
  named(name: string): string {
    if (this.#known.has(name)) return name;
    const short = name === "" || name.length > LONGEST ? name.slice(0, LONGEST) || UNNAMED : name;
    if (this.#known.size >= MOST_STEPS && !this.#known.has(short)) return OTHER;
    this.#known.add(short);
    return short;
  }
}

/** Whether the first word of a text, up to a space or its end, is `word`. */
function startsWithWord(text: string, word: string): boolean {
  if (text === word) return true;
  return text.length > word.length && text.charCodeAt(word.length) === SPACE && text.startsWith(word);
}

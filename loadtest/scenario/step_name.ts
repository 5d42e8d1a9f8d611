/** Names of the steps under which requests are reported. Pure. @module */

/** Most distinct steps, because a scenario whose texts all differ must not fill the memory. */
const MOST_STEPS = 64;
/** Most UTF-16 units of a name. */
const LONGEST = 40;
const OTHER = "other requests";
const UNNAMED = "request";

/** Names of steps; those beyond the first 64 share one. */
export class StepNames {
  readonly #known = new Set<string>();

  /** The step of a frame: the first word of a text, or the first item of an array. */
  of(frame: unknown): string {
    const text = typeof frame === "string" ? frame : Array.isArray(frame) ? frame[0] : undefined;
    if (typeof text !== "string") return UNNAMED;
    const end = text.indexOf(" ");
    return this.named(end < 0 ? text : text.slice(0, end));
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

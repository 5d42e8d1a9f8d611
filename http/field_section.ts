/** The field lines of a header or trailer section. Pure. @module */
import { HttpError } from "./errors.ts";
import { isToken, trimWhitespace } from "./grammar.ts";

/** One field, as sent. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** Options for {@linkcode FieldSection}. */
export interface FieldSectionOptions {
  /** Limit of all lines together, in bytes, without their CRLF. */
  readonly maxBytes: number;
  /** Limit of the number of lines. Default: none. */
  readonly maxCount?: number;
  /**
   * Whether a line that starts with a space or a tab continues the field before it. RFC 9112, 5.2 requires a client to
   * read such a fold as a space. A server refuses it, because parsers differ about folds, and request smuggling
   * depends on such differences. Default `false`.
   */
  readonly folding?: boolean;
}

// Visible characters, obs-text, space, and tab. Parsers differ about everything else, above all about CR and NUL.
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Collects the field lines of one section, within its limits. */
export class FieldSection {
  readonly #maxBytes: number;
  readonly #maxCount: number;
  readonly #folding: boolean;
  #fields: Field[] = [];
  #count = 0;
  #bytes = 0;

  constructor({ maxBytes, maxCount = Infinity, folding = false }: FieldSectionOptions) {
    this.#maxBytes = maxBytes;
    this.#maxCount = maxCount;
    this.#folding = folding;
  }

  /** The limit of the next line, in bytes. */
  get bytesLeft(): number {
    return this.#maxBytes - this.#bytes;
  }

  /**
   * Adds a line, which is not empty and comes without its CRLF.
   *
   * @throws {HttpError} 400 if the line is folded and folds are refused, has space around the name, or contains a
   * control character; 431 if there are more lines than allowed.
   */
  add(line: string): void {
    if (++this.#count > this.#maxCount) {
      throw new HttpError(431, `Headers have more than ${this.#maxCount} lines`);
    }
    this.#bytes += line.length;
    if (isFolded(line)) this.#unfold(line);
    else this.#fields.push(parseField(line));
  }

  /**
   * Returns the fields, and forgets them. Their bytes still count: the heads of one response share a limit, however
   * many interim responses come before the final one.
   */
  take(): readonly Field[] {
    const fields = this.#fields;
    this.#fields = [];
    return fields;
  }

  #unfold(line: string): void {
    const last = this.#fields.pop();
    if (!this.#folding) throw new HttpError(400, "Header line is folded: each field takes one line");
    if (last === undefined) throw new HttpError(400, "Header line is folded, but it is the first one");
    const { name, value } = last;
    const more = valueOf(name, line);
    // Nothing is trimmed here: that would copy the whole value for each of its lines.
    this.#fields.push({ name, value: value === "" || more === "" ? value + more : `${value} ${more}` });
  }
}

/** Returns the fields as `Headers`, in which the values of equal names are joined. */
export function headersOf(fields: readonly Field[]): Headers {
  const headers = new Headers();
  for (const { name, value } of fields) headers.append(name, value);
  return headers;
}

function isFolded(line: string): boolean {
  return line.startsWith(" ") || line.startsWith("\t");
}

function parseField(line: string): Field {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  if (!isToken(name)) throw new HttpError(400, "Header line does not start with a name and a colon");
  return { name, value: valueOf(name, line.slice(colon + 1)) };
}

function valueOf(name: string, text: string): string {
  const value = trimWhitespace(text);
  if (!FIELD_VALUE.test(value)) throw new HttpError(400, `Header ${name} contains a control character`);
  return value;
}

/** The messages of a load test: one unique text per client, which identifies its client. Pure. @module */
import { formatSize, parseSize } from "../../internal/size.ts";
import { escapeText, unescapeText } from "../../protocol.ts";
import type { Line } from "../../socket/codecs/line.ts";
import { randomStream } from "./seeded_random.ts";

/** The kind of texts. */
export type PayloadSpec =
  | { readonly type: "short" }
  | { readonly type: "mixed" }
  | { readonly type: "size"; readonly bytes: number }
  | { readonly type: "file"; readonly path: string };

/** The texts of all messages, made on demand. */
export interface Payload {
  /** Returns the text of message `index`, which no other message has. */
  text(index: number): string;
  /** Returns the index of the message with exactly this text, or `undefined` if there is none. */
  find(text: string): number | undefined;
  /**
   * Does the same for the text in relay notation that begins at byte `start` of a line.
   *
   * @throws {ProtocolError} If the notation is not valid; not in each case if there is no such message.
   */
  findLine(line: Line, start: number): number | undefined;
  /** Longest text in relay notation, in bytes. */
  readonly longestOnWire: number;
}

/** Options for {@linkcode createPayload}. */
export interface PayloadOptions {
  readonly seed: number;
  readonly clients: number;
  /** The lines of the file, for a `file` payload. */
  readonly lines?: readonly string[];
}

const ACCEPTED = "short, mixed, size:1KiB, or file:F";
const KIBI = 1024;

const SHORT = "hello #";
const SHORT_BYTES = new TextEncoder().encode(SHORT);
/** The digit 0. */
const ZERO = 48;

/** The awkward texts of `mixed`, around the mark that makes each one unique. None contains another `#`. */
const MIXED: readonly ((mark: string) => string)[] = [
  (mark) => mark,
  (mark) => `Grüße, 世界 ${mark}`,
  (mark) => `first line\nsecond line ${mark}\n`,
  (mark) => `\r\n${mark}\r`,
  (mark) => `${mark} \\`,
  (mark) => `\\n is no newline, \\\\ no backslash ${mark}`,
  (mark) => `👩‍🚀🏳️‍🌈 ${mark} 🎉`,
  (mark) => `high \ud83d, low \ude80, ${mark} \ud800`,
  (mark) => `\udfff\ud800 ${mark}`,
  (mark) => `\u0000 NUL ${mark} \u0000`,
  (mark) => `\ufeff byte order mark ${mark} \ufeff`,
  (mark) => ` spaces   inside and around ${mark}  `,
  (mark) => `\u001b[31mred\u001b[0m \u0007 ${mark} \u007f`,
  (mark) => `ok ${mark}`,
  (mark) => `message ${mark}\nok ${mark}\nerror ${mark}`,
  (mark) => `next line \u0085, separators \u2028 \u2029 ${mark}\u2028`,
  (mark) => `${mark} ${"é".repeat(2 * KIBI)}`,
];

/** In bytes. A message passes several buffers of the generator as a string, twice as large in each. */
const LARGEST_SIZE = 64 * KIBI * KIBI;

/** Longest mark and the space before it, in bytes. */
const LONGEST_MARK = " #4294967295".length;

/** One message in 50 of `mixed` is long: enough to reach every code path, few enough to stay light. */
const LONG_ONE_IN = 50;
const LONG_LENGTH = 60 * KIBI;

/**
 * Reads `short`, `mixed`, `size:1KiB`, or `file:F`.
 *
 * @throws {TypeError} If `spec` has another form
 */
export function parsePayload(spec: string): PayloadSpec {
  if (spec === "short" || spec === "mixed") return { type: spec };
  const rest = spec.slice(5);
  if (spec.startsWith("size:")) return { type: "size", bytes: parseSize(rest) };
  if (spec.startsWith("file:") && rest !== "") return { type: "file", path: rest };
  throw new TypeError(`Cannot use payload "${spec}": expected ${ACCEPTED}`);
}

/** Formats a payload in the notation of {@linkcode parsePayload}. */
export function formatPayload(spec: PayloadSpec): string {
  if (spec.type === "size") return `size:${formatSize(spec.bytes)}`;
  return spec.type === "file" ? `file:${spec.path}` : spec.type;
}

/**
 * Creates the texts of a payload. Every text carries the mark `#INDEX`, so that its receiver finds the message without
 * a table. Only the one empty text of `mixed` has no mark.
 *
 * - `short`: `hello #17`.
 * - `mixed`: strings that could break framing: the empty one (once), newlines, lone surrogates, NUL, protocol words,
 *   60 KiB.
 * - `size`: texts of exactly that many bytes, at most 64 MiB, with the mark at the end.
 * - `file`: the lines of the file in turn, each followed by the mark.
 *
 * @throws {RangeError} If the texts cannot be unique or are too large, or the file has no lines
 *
 * @example
 * ```ts
 * import { createPayload } from "./payload.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const payload = createPayload({ type: "short" }, { seed: 1, clients: 100 });
 * assertEquals(payload.text(17), "hello #17");
 * assertEquals(payload.find("hello #17"), 17);
 * assertEquals(payload.find("hello #100"), undefined);
 * ```
 */
export function createPayload(spec: PayloadSpec, options: PayloadOptions): Payload {
  const { text, empty, longest } = writer(spec, options);
  const find = (candidate: string): number | undefined => {
    if (candidate === "") return empty;
    const index = markIn(candidate);
    return index !== undefined && index < options.clients && text(index) === candidate ? index : undefined;
  };
  return {
    text,
    longestOnWire: longest + LONGEST_MARK,
    find,
    findLine: spec.type === "short"
      ? (line, start) => findShort(line, start, options.clients)
      : (line, start) => find(unescapeText(line.text(start))),
  };
}

interface TextSource {
  readonly text: (index: number) => string;
  /** Longest text in relay notation without its mark, in bytes. */
  readonly longest: number;
  /** The client with the empty text. */
  readonly empty?: number;
}

function writer(spec: PayloadSpec, { seed, clients, lines = [] }: PayloadOptions): TextSource {
  switch (spec.type) {
    case "short":
      return { text: (index) => `${SHORT}${index}`, longest: 8 };
    case "size": {
      const least = `#${Math.max(clients - 1, 0)}`.length;
      if (spec.bytes < least) {
        throw new RangeError(
          `Cannot use payload size ${spec.bytes}: expected at least ${least} bytes, so that ${clients} texts are unique`,
        );
      }
      if (spec.bytes > LARGEST_SIZE) {
        throw new RangeError(
          `Cannot use payload size ${formatSize(spec.bytes)}: expected at most ${formatSize(LARGEST_SIZE)}`,
        );
      }
      return { text: (index) => `#${index}`.padStart(spec.bytes, "x"), longest: spec.bytes };
    }
    case "file":
      if (lines.length === 0) {
        throw new RangeError(`Cannot use payload file ${spec.path}: it is empty, expected lines of text`);
      }
      return {
        text: (index) => `${lines[index % lines.length]} #${index}`,
        longest: lines.reduce((longest, line) => Math.max(longest, sizeOnWire(line)), 0),
      };
    case "mixed": {
      const empty = Math.floor(clients * randomStream(seed, "payload", { index: 0xffff_ffff })());
      return { text: (index) => index === empty ? "" : mixedText(seed, index), empty, longest: LONG_LENGTH };
    }
  }
}

/** Finds a text of `short` without making a string: a load test does it for each message and each ok. */
function findShort({ bytes, start, end }: Line, from: number, clients: number): number | undefined {
  const first = start + from;
  const digits = first + SHORT_BYTES.length;
  if (digits >= end) return undefined;
  for (let i = 0; i < SHORT_BYTES.length; i++) if (bytes[first + i] !== SHORT_BYTES[i]) return undefined;
  let index = 0;
  for (let i = digits; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9 || digit === 0 && i === digits && end > digits + 1) return undefined;
    index = 10 * index + digit;
    if (index >= clients) return undefined;
  }
  return index;
}

function mixedText(seed: number, index: number): string {
  const random = randomStream(seed, "payload", { index });
  const mark = `#${index}`;
  if (random() < 1 / LONG_ONE_IN) return `${mark} ${"0123456789abcdef".repeat(LONG_LENGTH / 16)}`;
  const form = MIXED[Math.floor(random() * MIXED.length)];
  return form ? form(mark) : mark;
}

function sizeOnWire(text: string): number {
  return new TextEncoder().encode(escapeText(text)).length;
}

/** Returns the number after the last `#`; lines of a file may contain other marks before it. */
function markIn(text: string): number | undefined {
  const [, digits] = /^#(\d{1,10})(?!\d)/.exec(text.slice(text.lastIndexOf("#")).slice(0, 12)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

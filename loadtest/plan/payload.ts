/** What the messages of a load test say: one text a client, no two alike, each telling whose it is. Pure. @module */
import { formatSize, parseSize } from "../../internal/size.ts";
import { escapeText } from "../../protocol.ts";
import { randomStream } from "./seeded_random.ts";

/** What is asked for: the form of the texts. */
export type PayloadSpec =
  | { readonly type: "short" }
  | { readonly type: "mixed" }
  | { readonly type: "size"; readonly bytes: number }
  | { readonly type: "file"; readonly path: string };

/** The texts of all messages, made when asked for. */
export interface Payload {
  /** The text of message `index`; unlike that of any other index. */
  text(index: number): string;
  /** The index of the message with exactly this text, or `undefined` if there is none. */
  find(text: string): number | undefined;
  /** Most bytes of a text as the relay's protocol writes it. */
  readonly longestOnWire: number;
}

/** What {@linkcode createPayload} needs to know. */
export interface PayloadOptions {
  readonly seed: number;
  readonly clients: number;
  /** The lines of the file that a `file` payload names. */
  readonly lines?: readonly string[];
}

const ACCEPTED = "short, mixed, size:1KiB or file:F";
const KIBI = 1024;

/** The awkward texts of `mixed`, around the mark that makes each one unique. None has a `#` of its own. */
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

/** Bytes. Each message is a string on its way through several of the generator's buffers, each of them twice as large. */
const LARGEST_SIZE = 64 * KIBI * KIBI;

/** Bytes of a mark and the blank before it, at most. */
const LONGEST_MARK = " #4294967295".length;

/** One message in so many is the longest of `mixed`: enough to meet every code path, few enough to stay light. */
const LONG_ONE_IN = 50;
const LONG_LENGTH = 60 * KIBI;

/**
 * Reads `short`, `mixed`, `size:1KiB` or `file:F`.
 *
 * @throws {TypeError} If `spec` is none of these
 */
export function parsePayload(spec: string): PayloadSpec {
  if (spec === "short" || spec === "mixed") return { type: spec };
  const rest = spec.slice(5);
  if (spec.startsWith("size:")) return { type: "size", bytes: parseSize(rest) };
  if (spec.startsWith("file:") && rest !== "") return { type: "file", path: rest };
  throw new TypeError(`Payload must be ${ACCEPTED}: got "${spec}"`);
}

/** The specification that {@linkcode parsePayload} reads as `spec`. */
export function formatPayload(spec: PayloadSpec): string {
  if (spec.type === "size") return `size:${formatSize(spec.bytes)}`;
  return spec.type === "file" ? `file:${spec.path}` : spec.type;
}

/**
 * The texts that `spec` asks for. Every text carries the mark `#INDEX`, so that whoever receives it knows whose it
 * is without a table; only the one empty text of `mixed` has none.
 *
 * - `short`: `hello #17`.
 * - `mixed`: every kind of string that framing could break: the empty one (once), newlines, lone surrogates,
 *   NUL, words of the protocol, 60 KiB.
 * - `size`: exactly that many bytes, 64 MiB at most, the mark at the end.
 * - `file`: the lines of the file in turn, the mark behind each.
 *
 * @throws {RangeError} If the texts cannot all be different, or are too large, or there are no lines
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
  return {
    text,
    longestOnWire: longest + LONGEST_MARK,
    find: (candidate) => {
      if (candidate === "") return empty;
      const index = markIn(candidate);
      return index !== undefined && index < options.clients && text(index) === candidate ? index : undefined;
    },
  };
}

interface TextSource {
  readonly text: (index: number) => string;
  /** Most bytes of a text on the wire, without its mark. */
  readonly longest: number;
  /** Whose message is the empty text. */
  readonly empty?: number;
}

function writer(spec: PayloadSpec, { seed, clients, lines = [] }: PayloadOptions): TextSource {
  switch (spec.type) {
    case "short":
      return { text: (index) => `hello #${index}`, longest: 8 };
    case "size": {
      const least = `#${Math.max(clients - 1, 0)}`.length;
      if (spec.bytes < least) {
        throw new RangeError(
          `Payload size must be at least ${least} bytes to tell ${clients} messages apart: got ${spec.bytes}`,
        );
      }
      if (spec.bytes > LARGEST_SIZE) {
        throw new RangeError(
          `Payload size must be at most ${formatSize(LARGEST_SIZE)}: got ${formatSize(spec.bytes)}`,
        );
      }
      return { text: (index) => `#${index}`.padStart(spec.bytes, "x"), longest: spec.bytes };
    }
    case "file":
      if (lines.length === 0) throw new RangeError(`Payload file must have lines: ${spec.path} has none`);
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

/** The number behind the last `#`; marks of other texts, as in the lines of a file, come before it. */
function markIn(text: string): number | undefined {
  const [, digits] = /^#(\d{1,10})(?!\d)/.exec(text.slice(text.lastIndexOf("#")).slice(0, 12)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

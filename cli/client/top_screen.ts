/** The terminal of `client.ts top`: an alternate screen, and keys. @module */
import { writeText } from "../terminal/write.ts";

/** A key with a function. */
export type TopKey = "quit" | "next" | "previous" | "reverse";

const KEYS: Readonly<Record<string, TopKey>> = {
  q: "quit",
  "\x03": "quit",
  ">": "next",
  "\x1b[C": "next",
  "<": "previous",
  "\x1b[D": "previous",
  r: "reverse",
};

const SHOW = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** An alternate terminal screen, which disappears when it is disposed of. */
export class TopScreen implements Disposable {
  constructor() {
    Deno.stdin.setRaw(true);
    writeText(Deno.stdout, SHOW);
  }

  /** Number of lines that fit. */
  get rows(): number {
    return size().rows;
  }

  /** Draws the lines that fit, and truncates long ones. */
  draw(text: string): void {
    const { columns, rows } = size();
    const lines = text.split("\n").slice(0, rows).map((line) => cut(line, columns) + CLEAR_LINE);
    writeText(Deno.stdout, HOME + lines.join("\r\n") + CLEAR_BELOW);
  }

  /** Yields keys until stdin ends. */
  async *keys(): AsyncGenerator<TopKey> {
    const bytes = new Uint8Array(64);
    const decoder = new TextDecoder();
    for (let count; (count = await Deno.stdin.read(bytes)) !== null;) {
      const key = KEYS[decoder.decode(bytes.subarray(0, count))];
      if (key !== undefined) yield key;
    }
  }

  [Symbol.dispose](): void {
    writeText(Deno.stdout, LEAVE);
    Deno.stdin.setRaw(false);
  }
}

/** Cuts a line after `columns` characters; color sequences do not count. */
function cut(line: string, columns: number): string {
  let room = columns;
  // deno-lint-ignore no-control-regex
  return line.replace(/\x1b\[[\d;]*m|[^\x1b]/gu, (part) => part.length > 2 || room-- > 0 ? part : "");
}

/** Returns the size of the terminal. A terminal without a known size, as in a pipe of `script`, reports 0. */
function size(): { readonly columns: number; readonly rows: number } {
  const { columns, rows } = Deno.consoleSize();
  return { columns: columns || 80, rows: rows || 24 };
}

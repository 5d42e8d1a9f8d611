/** Measures the line decoder. One run is 1 MB, so 1,000 runs per second are 1 GB/s; or 1,000 lines, as its name says. @module */
import { LineDecoder } from "../../socket/codecs/line_decoder.ts";

const MB = 1_000_000;
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Repeats a line to the next line end after `size` bytes, in chunks as a socket may deliver them. */
function chunksOf(line: string, { size, chunk }: { size: number; chunk: number }): Uint8Array[] {
  const bytes = bytesOf(line.repeat(Math.ceil(size / bytesOf(line).length)));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.subarray(at, at + chunk));
  return chunks;
}

function decode(chunks: readonly Uint8Array[]): void {
  const decoder = new LineDecoder();
  for (const bytes of chunks) decoder.push(bytes);
}

const SHORT = "message 0123456789\n";
const CHUNKS = [512, 4 * 1024, 16 * 1024, 64 * 1024];
const LENGTHS = [100, 1000, 10_000, 60_000];

for (const chunk of CHUNKS) {
  const chunks = chunksOf(SHORT, { size: 1000 * SHORT.length, chunk });
  Deno.bench(
    `decode: 1,000 lines of 19 B, reads of ${chunk} B`,
    { group: "decode short" },
    () => decode(chunks),
  );
}
for (const [name, letter] of [["ASCII", "x"], ["accented", "é"]] as const) {
  for (const length of LENGTHS) {
    const line = letter.repeat(length / bytesOf(letter).length) + "\n";
    const chunks = chunksOf(line, { size: MB, chunk: 64 * 1024 });
    Deno.bench(
      `decode: 1 MB of ${name} lines of ${length} B, reads of 64 KiB`,
      { group: name },
      () => decode(chunks),
    );
  }
  for (const chunk of CHUNKS.slice(0, -1)) {
    const chunks = chunksOf(letter.repeat(10_000 / bytesOf(letter).length) + "\n", { size: MB, chunk });
    Deno.bench(
      `decode: 1 MB of ${name} lines of 10000 B, reads of ${chunk} B`,
      { group: name },
      () => decode(chunks),
    );
  }
}

const one = bytesOf(SHORT);
const decoder = new LineDecoder();
Deno.bench("decode: one line of 19 B per read", { group: "decode short" }, () => {
  decoder.push(one);
});

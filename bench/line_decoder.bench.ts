/** Bytes to lines: a run takes in 1 MiB, so that 1 ms is 1 GiB/s. @module */
import { lineCodec, LineDecoder } from "../socket/line_decoder.ts";

const MIB = 1024 * 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** 1 MiB of one line again and again, in chunks as a socket gives them, the last one ended by a line end. */
function chunksOf(line: string, chunk: number): Uint8Array[] {
  const bytes = bytesOf(line.repeat(Math.ceil(MIB / line.length)).slice(0, MIB - 1) + "\n");
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.subarray(at, at + chunk));
  return chunks;
}

const SHORT = "message 0123456789\n"; // 55,189 lines in 1 MiB
const LONG = "x".repeat(16 * 1024 - 1) + "\n";
const ACCENTED = "é".repeat(4 * 1024 - 1) + "\n";

for (const [name, line] of [["short", SHORT], ["16 KiB", LONG], ["accented 8 KiB", ACCENTED]] as const) {
  for (const chunk of [4 * 1024, 64 * 1024]) {
    const chunks = chunksOf(line, chunk);
    Deno.bench(`LineDecoder.push(): 1 MiB of ${name} lines, chunks of ${chunk / 1024} KiB`, () => {
      const decoder = new LineDecoder();
      for (const bytes of chunks) decoder.push(bytes);
    });
  }
}

const one = bytesOf(SHORT);
const decoder = new LineDecoder();
Deno.bench("LineDecoder.push(): one short line", () => {
  decoder.push(one);
});

const encoder = lineCodec().encoder();
const line = SHORT.slice(0, -1);
Deno.bench("lineCodec() encoder: one short line", () => {
  encoder.push(line);
  encoder.take();
});

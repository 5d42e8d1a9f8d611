/** Measures the protocol's codec. One run is 1,000 short lines, or 1 MB, so 1,000 runs per second are 1 GB/s. @module */
import { decodeFrame, encodeFrame } from "../../protocol.ts";

// As a socket delivers them: sliced from a longer text, never constants.
const short = Array.from({ length: 1000 }, (_, i) => `message 012345${1000 + i}`).join("\n").split("\n");
const kinds = {
  "lines of 18 B": short,
  "ASCII lines of 10 kB": long("x"),
  "accented lines of 10 kB": long("é"),
  "lines of 10 kB, an escape every 16 B": long("fourteen bytes\\n"),
};

function long(piece: string): string[] {
  const bytes = new TextEncoder().encode(piece).length;
  return Array.from({ length: 100 }, (_, i) => `message ${piece.repeat(10_000 / bytes)}${i}`).join("\n")
    .split("\n");
}

for (const [name, lines] of Object.entries(kinds)) {
  const what = `${lines === short ? "1,000" : "1 MB of"} ${name}`;
  const frames = lines.map(decodeFrame);
  Deno.bench(`decodeFrame(): ${what}`, { group: name }, () => {
    for (const line of lines) decodeFrame(line);
  });
  Deno.bench(`encodeFrame(): ${what}`, { group: name }, () => {
    for (const frame of frames) encodeFrame(frame);
  });
}

/** Measures encoders, and the length-prefix decoder. One run is 1,000 frames, or 1 MB. @module */
import type { Codec } from "../../socket/codecs/codec.ts";
import { lengthPrefixCodec } from "../../socket/codecs/length_prefix_codec.ts";
import { lineCodec } from "../../socket/codecs/line_codec.ts";

const LINE = "message 0123456789";

/** Encodes `frames`, with this many in each write. */
function encode<Frame>(codec: Codec<Frame>, frames: readonly Frame[], { aWrite }: { aWrite: number }): void {
  const encoder = codec.encoder();
  for (let at = 0; at < frames.length;) {
    for (const end = Math.min(frames.length, at + aWrite); at < end; at++) encoder.push(frames[at]!);
    encoder.take();
  }
}

// Distinct strings: V8 keeps one copy of equal constants, and caches facts about it.
const lines = Array.from({ length: 1000 }, (_, i) => `${LINE.slice(0, -4)}${1000 + i}`);
for (const aWrite of [1, 16, 1000]) {
  Deno.bench(`encode: 1,000 lines of 19 B, ${aWrite} per write`, { group: "encode" }, () => {
    encode(lineCodec(), lines, { aWrite });
  });
}
for (const [name, letter, units] of [["ASCII", "x", 10_000], ["accented", "é", 5000]] as const) {
  const long = Array.from({ length: 100 }, (_, i) => letter.repeat(units - 4) + (1000 + i));
  Deno.bench(`encode: 1 MB of ${name} lines of 10 kB, one per write`, { group: "encode" }, () => {
    encode(lineCodec(), long, { aWrite: 1 });
  });
}

for (const size of [20, 10_000]) {
  const codec = lengthPrefixCodec({ prefix: 4 });
  const frames = Array.from({ length: size === 20 ? 1000 : 100 }, () => new Uint8Array(size));
  const encoder = codec.encoder();
  for (const frame of frames) encoder.push(frame);
  const bytes = encoder.take();
  const what = size === 20 ? "1,000 frames of 20 B" : "1 MB of frames of 10 kB";
  Deno.bench(`length-prefix encode: ${what}, all in one write`, { group: "length-prefix" }, () => {
    encode(codec, frames, { aWrite: frames.length });
  });
  Deno.bench(`length-prefix decode: ${what}, reads of 64 KiB`, { group: "length-prefix" }, () => {
    const decoder = codec.decoder();
    for (let at = 0; at < bytes.length; at += 64 * 1024) decoder.push(bytes.subarray(at, at + 64 * 1024));
  });
}

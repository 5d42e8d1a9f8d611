/** Codecs that say that they copy, held to it. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesCodec } from "../../../socket/codecs/bytes_codec.ts";
import type { Codec } from "../../../socket/codecs/codec.ts";
import { delimiterCodec } from "../../../socket/codecs/delimiter_codec.ts";
import { fixedSizeCodec } from "../../../socket/codecs/fixed_size_codec.ts";
import { lengthPrefixCodec } from "../../../socket/codecs/length_prefix_codec.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { ndjsonCodec } from "../../../socket/codecs/ndjson_codec.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { respCodec } from "../../../socket/codecs/resp_codec.ts";
import { filesCodec } from "../../../services/files/codec.ts";
import { pure } from "../../_util/permissions.ts";

const texts = fc.array(fc.stringMatching(/^[a-z]{0,300}$/));
const bytes = fc.array(fc.uint8Array({ minLength: 7, maxLength: 7 }));

/** Returns the decoded frames, from chunks of their own or from one shared piece of memory. */
function decoded<Frame>(
  codec: Codec<Frame>,
  frames: readonly Frame[],
  cuts: readonly number[],
  shared: boolean,
): Frame[] {
  const encoder = codec.encoder();
  for (const frame of frames) encoder.push(frame);
  const all = encoder.take();
  const memory = new Uint8Array(all.length);
  const decoder = codec.decoder();
  const result: Frame[] = [];
  const ends = [...cuts.map((cut) => cut % (all.length + 1)), all.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    const chunk = all.slice(at, end);
    at = end;
    if (chunk.length === 0) continue;
    memory.fill(0xff);
    memory.set(chunk);
    result.push(...decoder.push(shared ? memory.subarray(0, chunk.length) : chunk).frames);
    memory.fill(0xff); // As the next read of another connection does.
  }
  return result;
}

function copies<Frame>(codec: Codec<Frame>, frames: fc.Arbitrary<Frame[]>): void {
  assertEquals(codec.copies, true);
  fc.assert(fc.property(frames, fc.array(fc.nat()), (frames, cuts) => {
    assertEquals(decoded(codec, frames, cuts, true), decoded(codec, frames, cuts, false));
  }));
}

Deno.test(
  "Codec.copies is true only when frames survive the memory that they were decoded from",
  pure,
  () => {
    copies(lineCodec(), texts);
    copies(delimiterCodec({ delimiter: "::" }), texts);
    copies(ndjsonCodec(), texts);
    copies(bytesCodec, bytes);
    copies(lengthPrefixCodec(), bytes);
    copies(filesCodec(() => 7), fc.constant(["body 7", new Uint8Array(7).fill(65)]));
    copies(fixedSizeCodec({ size: 7 }), bytes);
    copies(respCodec({ role: "server" }), texts);
    assertEquals(rawCodec.copies, undefined);
  },
);

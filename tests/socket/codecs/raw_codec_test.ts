import { assertEquals, assertStrictEquals } from "@std/assert";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("passingCodec returns the bytes of a read without a copy", pure, () => {
  const decoder = rawCodec.decoder();
  const bytes = new Uint8Array([1, 2, 3]);
  assertStrictEquals(decoder.push(bytes).frames[0], bytes);
  assertEquals(decoder.end(), undefined);
});

Deno.test("passingCodec sends one piece without a copy, and joins several in order", pure, () => {
  const encoder = rawCodec.encoder();
  const bytes = new Uint8Array([1, 2, 3]);
  encoder.push(bytes);
  assertStrictEquals(encoder.take(), bytes);
  assertEquals(encoder.size, 0);
  encoder.push(bytes);
  encoder.push(new Uint8Array([4]));
  assertEquals(encoder.size, 4);
  assertEquals(encoder.take(), new Uint8Array([1, 2, 3, 4]));
  assertEquals(encoder.size, 0);
});

import { assertEquals } from "@std/assert";
import { bytesCodec } from "../../../socket/codecs/bytes_codec.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("bytesCodec returns the bytes of each read as a new frame", pure, () => {
  const decoder = bytesCodec.decoder();
  const buffer = new Uint8Array([1, 2, 3, 4]);
  const first = decoder.push(buffer.subarray(0, 3)).frames;
  buffer.fill(9);
  assertEquals(first, [new Uint8Array([1, 2, 3])]);
  assertEquals(decoder.push(buffer.subarray(0, 0)).frames, []);
  assertEquals(decoder.end(), undefined);
});

Deno.test("bytesCodec copies what is sent, in order", pure, () => {
  const encoder = bytesCodec.encoder();
  const buffer = new Uint8Array(300).fill(1);
  encoder.push(buffer);
  buffer.fill(2);
  encoder.push(buffer);
  assertEquals(encoder.size, 600);
  const taken = encoder.take();
  assertEquals(encoder.size, 0);
  encoder.push(new Uint8Array(600).fill(3));
  assertEquals(taken, new Uint8Array([...new Array(300).fill(1), ...new Array(300).fill(2)]));
});

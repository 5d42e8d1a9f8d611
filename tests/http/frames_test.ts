import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { concat, framesOf } from "../../http/frames.ts";
import { pure } from "../_util/permissions.ts";

const FRAME_SIZE = 64 * 1024;

Deno.test("framesOf() returns the bytes of the pieces in full frames", pure, () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 });
  fc.assert(fc.property(sizes, (lengths) => {
    const pieces = lengths.map((length, index) => new Uint8Array(length).fill(index));
    const frames = [...framesOf(pieces)];
    for (const { length } of frames.slice(0, -1)) assertEquals(length, FRAME_SIZE);
    const last = frames.at(-1);
    assert(last === undefined || (last.length > 0 && last.length <= FRAME_SIZE));
    assert(concat(frames).every((byte, index, all) => index === 0 || all[index - 1]! <= byte));
    assertEquals(concat(frames).length, lengths.reduce((sum, length) => sum + length, 0));
  }));
});

Deno.test("framesOf() reads no piece before the frame that needs it", pure, () => {
  let read = 0;
  function* pieces() {
    for (;;) {
      read++;
      yield new Uint8Array(FRAME_SIZE / 2);
    }
  }
  const frames = framesOf(pieces());
  frames.next();
  assertEquals(read, 2);
  frames.next();
  assertEquals(read, 4);
});

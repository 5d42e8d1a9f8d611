import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Codec } from "../../../socket/codecs/codec.ts";
import type { FramingError } from "../../../socket/errors.ts";
import { type LengthPrefix, lengthPrefixCodec } from "../../../socket/codecs/length_prefix_codec.ts";
import { pure } from "../../_util/permissions.ts";

const PREFIXES: readonly LengthPrefix[] = [1, 2, 4, "varint"];
interface Outcome {
  frames: Uint8Array[];
  error: FramingError | undefined;
}

/** Decodes pieces one by one, each from a buffer that is overwritten afterwards as a read buffer is. */
function decodePieces(codec: Codec<Uint8Array>, pieces: Iterable<Uint8Array>): Outcome {
  const decoder = codec.decoder();
  const frames: Uint8Array[] = [];
  for (const piece of pieces) {
    const reused = piece.slice();
    const decoded = decoder.push(reused);
    reused.fill(0xee);
    frames.push(...decoded.frames);
    if (decoded.error) return { frames, error: decoded.error };
  }
  return { frames, error: decoder.end() };
}

function* slices(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function encodeAll(codec: Codec<Uint8Array>, frames: readonly Uint8Array[]): Uint8Array {
  const encoder = codec.encoder();
  for (const frame of frames) encoder.push(frame);
  return encoder.take();
}

Deno.test("lengthPrefixCodec() writes the length in the form of its prefix", pure, () => {
  const wire = (
    prefix: LengthPrefix,
    length: number,
  ) => [...encodeAll(lengthPrefixCodec({ prefix }), [new Uint8Array(length)]).slice(0, 4)];
  assertEquals(wire(1, 3), [3, 0, 0, 0]);
  assertEquals(wire(2, 258), [1, 2, 0, 0]);
  assertEquals(wire(4, 65_536), [0, 1, 0, 0]);
  assertEquals(wire("varint", 127).slice(0, 2), [127, 0]);
  assertEquals(wire("varint", 300).slice(0, 3), [0xac, 0x02, 0]);
});

Deno.test("lengthPrefixCodec() decodes what it encodes, in any chunks", pure, () => {
  for (const prefix of PREFIXES) {
    const codec = lengthPrefixCodec({ prefix });
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 255 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }),
        (frames, cuts) => {
          const wire = encodeAll(codec, frames);
          const pieces: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < wire.length; turn++) {
            const size = turn % 50 === 49 ? wire.length : cuts[turn % cuts.length]!;
            pieces.push(wire.subarray(at, at + size));
            at += size;
          }
          const outcome = decodePieces(codec, pieces);
          assertEquals(outcome.error, undefined);
          assertEquals(outcome.frames.map((frame) => [...frame]), frames.map((frame) => [...frame]));
        },
      ),
      { numRuns: 100 },
    );
  }
});

Deno.test("lengthPrefixCodec() decodes the same frames at every packet size", pure, () => {
  const frames = [0, 1, 2, 127, 128, 255, 0, 0, 5].map((length) =>
    Uint8Array.from({ length }, (_, index) => index)
  );
  for (const prefix of PREFIXES) {
    const codec = lengthPrefixCodec({ prefix });
    const wire = encodeAll(codec, frames);
    for (let size = 1; size <= wire.length; size++) {
      assertEquals(decodePieces(codec, slices(wire, size)), { frames, error: undefined });
    }
  }
});

Deno.test(
  "lengthPrefixCodec() accepts a frame at the limit, and rejects a longer one by its length",
  pure,
  () => {
    for (const prefix of PREFIXES) {
      const wide = lengthPrefixCodec({ prefix, maxFrame: 101 });
      const narrow = lengthPrefixCodec({ prefix, maxFrame: 100 });
      const good = encodeAll(wide, [new Uint8Array(100)]);
      const over = encodeAll(wide, [new Uint8Array(3), new Uint8Array(101)]);
      for (const size of [1, 2, 3, 1000]) {
        assertEquals(decodePieces(narrow, slices(good, size)).frames.length, 1);
        const outcome = decodePieces(narrow, slices(over.subarray(0, over.length - 101), size));
        assertEquals(outcome.frames, [new Uint8Array(3)]);
        assertEquals(outcome.error?.code, "frame-too-long");
        assertStringIncludes(outcome.error?.message ?? "", "101 bytes");
      }
    }
  },
);

Deno.test("lengthPrefixCodec() rejects a stream only when it ends inside a frame", pure, () => {
  for (const prefix of PREFIXES) {
    const codec = lengthPrefixCodec({ prefix });
    const wire = encodeAll(codec, [new Uint8Array([7, 8]), new Uint8Array(200)]);
    const whole = wire.length - encodeAll(codec, [new Uint8Array(200)]).length;
    for (let end = 0; end <= wire.length; end++) {
      const outcome = decodePieces(codec, [wire.subarray(0, end)]);
      const complete = end === 0 || end === whole || end === wire.length;
      assertEquals(outcome.error?.code, complete ? undefined : "unterminated", `${prefix} cut at ${end}`);
    }
  }
});

Deno.test("lengthPrefixCodec() rejects a varint that is too long or not in its shortest form", pure, () => {
  const codec = lengthPrefixCodec({ prefix: "varint", maxFrame: 0xffff_ffff });
  const code = (...bytes: number[]) => decodePieces(codec, [new Uint8Array(bytes)]).error?.code;
  assertEquals(code(0x80, 0x00), "bad-length");
  assertEquals(code(0x81, 0x80, 0x00), "bad-length");
  assertEquals(code(0x80, 0x80, 0x80, 0x80, 0x80), "bad-length");
  assertEquals(code(0xff, 0xff, 0xff, 0xff, 0x10), "frame-too-long");
  assertEquals(code(0xff, 0xff, 0xff, 0xff, 0x0f), "unterminated");
  assertEquals(code(0x00), undefined);
});

Deno.test("lengthPrefixCodec() allocates for received bytes, not for the announced length", pure, () => {
  const codec = lengthPrefixCodec({ prefix: 4, maxFrame: 0xffff_ffff });
  const decoder = codec.decoder();
  // A buffer of the announced 4 GiB could not even be allocated.
  assertEquals(decoder.push(new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 2, 3])).frames, []);
  assertStringIncludes(decoder.end()?.message ?? "", "after 3 of");
});

Deno.test(
  "lengthPrefixCodec() copies linearly when bytes arrive singly",
  pure,
  () => {
    const length = 1 << 18;
    const codec = lengthPrefixCodec({ maxFrame: length });
    const wire = encodeAll(codec, [new Uint8Array(length).fill(9)]);
    let copied = 0;
    const set = Uint8Array.prototype.set;
    Uint8Array.prototype.set = function (source, offset) {
      copied += source.length;
      return set.call(this, source, offset);
    };
    try {
      const decoder = codec.decoder();
      let frames = 0;
      for (const piece of slices(wire, 1)) frames += decoder.push(piece).frames.length;
      assertEquals(frames, 1);
    } finally {
      Uint8Array.prototype.set = set;
    }
    assertLess(copied, 4 * length);
  },
);

Deno.test(
  "lengthPrefixCodec() throws when a sent frame is over the limit, and sends the others",
  pure,
  () => {
    const encoder = lengthPrefixCodec({ prefix: 1 }).encoder();
    encoder.push(new Uint8Array(255));
    assertThrows(() => encoder.push(new Uint8Array(256)), RangeError, "256 bytes: the limit is 255");
    assertEquals(encoder.size, 256);
    assertEquals(encoder.take().length, 256);
    assertEquals(encoder.size, 0);
  },
);

Deno.test("lengthPrefixCodec() throws when its prefix cannot express the limit", pure, () => {
  for (const maxFrame of [256, -1, 1.5, NaN]) {
    assertThrows(() => lengthPrefixCodec({ prefix: 1, maxFrame }), RangeError, String(maxFrame));
  }
  assert(lengthPrefixCodec({ prefix: 1, maxFrame: 255 }));
});

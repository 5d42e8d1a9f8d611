import { assertEquals, assertThrows } from "@std/assert";
import { guardedCodec } from "../../../../loadtest/scenario/session/guarded_codec.ts";
import { FramingError, lineCodec } from "../../../../socket/mod.ts";
import { pure } from "../../../_util/permissions.ts";

const BYTES = new TextEncoder().encode("one\ntwo\n");

Deno.test("guardedCodec() decodes and encodes as the codec does", pure, () => {
  const failures: unknown[] = [];
  const codec = guardedCodec(lineCodec(), (error) => failures.push(error));
  assertEquals(codec.copies, lineCodec().copies);
  assertEquals(codec.decoder().push(BYTES).frames, ["one", "two"]);
  const encoder = codec.encoder();
  encoder.push("one");
  encoder.push("two");
  assertEquals([encoder.size, encoder.take(), encoder.size], [8, BYTES, 0]);
  encoder.push("one\n".trim());
  const buffer = new Uint8Array(64);
  assertEquals(encoder.takeInto?.(buffer), 4);
  assertEquals(buffer.subarray(0, 4), BYTES.subarray(0, 4));
  assertEquals(failures, []);
});

Deno.test("guardedCodec() passes on a framing error, and does not count it as a failure", pure, () => {
  const failures: unknown[] = [];
  const decoder = guardedCodec(lineCodec({ maxLine: 2 }), (error) => failures.push(error)).decoder();
  assertEquals(decoder.push(BYTES).error?.code, "line-too-long");
  assertEquals(failures, []);
});

Deno.test("guardedCodec() calls a decoder no more once it has thrown", pure, () => {
  let calls = 0;
  const failures: unknown[] = [];
  const broken = {
    ...lineCodec(),
    decoder: () => ({
      push(): never {
        calls++;
        throw new Error("boom");
      },
      end: () => undefined,
    }),
  };
  const decoder = guardedCodec(broken, (error) => failures.push(error)).decoder();
  for (const error of [decoder.push(BYTES).error, decoder.push(BYTES).error, decoder.end()]) {
    assertEquals([error instanceof FramingError, error?.message], [true, "the codec failed: boom"]);
  }
  assertEquals([calls, failures.length], [1, 1]);
});

Deno.test(
  "guardedCodec() drops what is pending when takeInto() throws, returns no length, or leaves bytes",
  pure,
  () => {
    const cases: (() => unknown)[] = [
      () => {
        throw new Error("boom");
      },
      () => -1,
      () => NaN,
      () => 1000,
      () => "8",
      () => 3,
    ];
    for (const takeInto of cases) {
      const failures: unknown[] = [];
      const encoder = guardedCodec({
        ...lineCodec(),
        encoder: () => ({ size: 8, push() {}, take: () => BYTES, takeInto: takeInto as () => number }),
      }, (error) => failures.push(error)).encoder();
      assertEquals([encoder.takeInto?.(new Uint8Array(64)), encoder.size, failures.length], [0, 0, 1]);
      assertThrows(() => encoder.push("one"), TypeError, "the encoder of the codec failed");
    }
  },
);

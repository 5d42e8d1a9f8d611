import { assertEquals, assertStrictEquals } from "@std/assert";
import { ReadBuffer } from "../../../socket/connection/read_buffer.ts";

const permissions = "none";

Deno.test(
  "ReadBuffer starts small and grows fourfold when a read fills it, to 64 KiB",
  { permissions },
  () => {
    const buffer = new ReadBuffer();
    const sizes: number[] = [];
    for (let i = 0; i < 6; i++) {
      sizes.push(buffer.free().length);
      buffer.filled(buffer.free().length);
    }
    assertEquals(sizes, [512, 2048, 8192, 32768, 65536, 65536]);
  },
);

Deno.test("ReadBuffer.filled() returns what was read, also when it grows", { permissions }, () => {
  const buffer = new ReadBuffer();
  buffer.free().set([1, 2, 3]);
  assertEquals(buffer.filled(3), Uint8Array.of(1, 2, 3));
  buffer.free().fill(7);
  const full = buffer.filled(512);
  assertEquals([full.length, full[0], full[511]], [512, 7, 7]);
});

Deno.test("ReadBuffer keeps its size while a read fits it", { permissions }, () => {
  const buffer = new ReadBuffer();
  const first = buffer.free();
  buffer.filled(511);
  assertStrictEquals(buffer.free(), first);
});

Deno.test("ReadBuffer shrinks after 64 small reads in a row, not before", { permissions }, () => {
  const buffer = new ReadBuffer();
  buffer.filled(512);
  assertEquals(buffer.free().length, 2048);
  for (let i = 0; i < 63; i++) buffer.filled(512);
  assertEquals(buffer.free().length, 2048);
  buffer.filled(513); // Would not have fitted: the count starts anew.
  for (let i = 0; i < 63; i++) buffer.filled(512);
  assertEquals(buffer.free().length, 2048);
  buffer.filled(512);
  assertEquals(buffer.free().length, 512);
  for (let i = 0; i < 200; i++) buffer.filled(1);
  assertEquals(buffer.free().length, 512);
});

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SequenceWindow } from "../../../relay/cluster/sequence_window.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("SequenceWindow.accept() accepts each number once, in any order within the window", pure, () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 4096 }), { maxLength: 500 }), (numbers) => {
    const window = new SequenceWindow();
    const seen = new Set<number>();
    for (const number of numbers) {
      assertEquals(window.accept(number), !seen.has(number), `${number} in ${numbers}`);
      seen.add(number);
    }
  }));
});

Deno.test("SequenceWindow.accept() refuses numbers that are too far behind", pure, () => {
  const window = new SequenceWindow();
  assertEquals(window.accept(5000), true);
  assertEquals(window.accept(5000 - 4096), false);
  assertEquals(window.accept(5000 - 4095), true);
  assertEquals(window.accept(0), false);
});

Deno.test("SequenceWindow.accept() forgets numbers that it skips", pure, () => {
  const window = new SequenceWindow();
  for (let number = 1; number <= 4096; number++) window.accept(number);
  assertEquals(window.accept(20_000), true);
  for (let number = 20_000 - 4095; number < 20_000; number++) assertEquals(window.accept(number), true);
  assertEquals(window.accept(19_999), false);
});

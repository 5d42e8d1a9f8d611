import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Column } from "../../../loadtest/ledger/typed_column.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("Column keeps what was pushed and appended, across its pieces", pure, () => {
  // Pieces have 65,536 rows.
  const step = fc.oneof(
    fc.record({ push: fc.nat(1000), times: fc.integer({ min: 1, max: 40_000 }) }),
    fc.record({ append: fc.integer({ min: 0, max: 150_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const column = new Column((n) => new Int32Array(n));
      const expected: number[] = [];
      for (const step of steps) {
        if ("append" in step) {
          const values = Int32Array.from({ length: step.append }, (_, index) => index);
          column.append(values);
          for (const value of values) expected.push(value);
          continue;
        }
        column.push(step.push);
        column.pushTimes(step.push + 1, step.times);
        expected.push(step.push, ...Array(step.times).fill(step.push + 1));
      }
      assertEquals(column.length, expected.length);
      assertEquals(column.toArray(), Int32Array.from(expected));
      for (const row of [0, 63, 64, 65_535, 65_536, 131_072, expected.length - 1, expected.length]) {
        assertEquals(column.at(row), expected[row] ?? NaN);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("Column.set() changes one row of any piece, and adds none", pure, () => {
  const column = new Column((n) => new Uint8Array(n));
  column.pushTimes(1, 100_000);
  for (const row of [0, 65_536, 99_999]) column.set(row, 7);
  column.set(100_000, 7);
  assertEquals([column.length, column.at(0), column.at(1), column.at(65_536), column.at(99_999)], [
    100_000,
    7,
    1,
    7,
    7,
  ]);
  assertEquals(column.toArray().reduce((sum, value) => sum + value, 0), 100_000 + 3 * 6);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { AskError } from "../../../../loadtest/scenario/errors.ts";
import { Batch } from "../../../../loadtest/scenario/session/batch.ts";
import { pure } from "../../../_util/permissions.ts";

/** A batch of `size` requests, whose frames are their indices. */
function batchOf(size: number): Batch<number> {
  return new Batch<number>({
    frames: Array.from({ length: size }, (_, index) => index),
    number: 100,
    steps: "step",
    due: 0,
    sent: 0,
    deadline: 1,
    expect: undefined,
    expectEach: undefined,
    keys: undefined,
    single: false,
  });
}

Deno.test(
  "Batch.pendingFrom() finds the next request that has not settled, in any order of replies",
  pure,
  async () => {
    const orders = fc.integer({ min: 1, max: 40 }).chain((size) =>
      fc.shuffledSubarray(Array.from({ length: size }, (_, index) => index), { minLength: size })
    );
    await fc.assert(fc.asyncProperty(orders, fc.array(fc.nat()), async (order, looks) => {
      const batch = batchOf(order.length);
      const pending = new Set(batch.frames);
      const expected = (from: number): number =>
        batch.frames.find((index) => index >= from && pending.has(index)) ?? order.length;
      for (const index of order) {
        batch.answered(index, -index);
        pending.delete(index);
        assertEquals([batch.left, batch.next], [pending.size, expected(0)]);
        for (const look of looks) {
          const from = look % (order.length + 1);
          assertEquals(batch.pendingFrom(from), expected(from));
        }
      }
      assertEquals(await batch.promise, batch.frames.map((index) => -index));
    }));
  },
);

Deno.test("Batch rejects with its first failure in order, once all requests have settled", pure, async () => {
  const batch = batchOf(4);
  batch.failed(2, "lost", "two is lost");
  batch.failed(1, "wrong", "one is wrong");
  batch.answered(3, 3);
  assertEquals(batch.left, 1);
  batch.answered(0, 0);
  const error = await assertRejects(() => batch.promise, AskError);
  assertEquals([error.index, error.failures, error.result], [1, 2, "wrong"]);
});

Deno.test(
  "Batch.cut() leaves the requests before a refused frame, and rejects after them",
  pure,
  async () => {
    const batch = batchOf(4);
    const refused = new TypeError("refused");
    batch.cut(2, refused);
    assertEquals([batch.size, batch.left], [2, 2]);
    let settled = false;
    batch.promise.catch(() => settled = true);
    batch.answered(1, 1);
    await Promise.resolve();
    assert(!settled);
    batch.answered(0, 0);
    assertEquals(await assertRejects(() => batch.promise), refused);
  },
);

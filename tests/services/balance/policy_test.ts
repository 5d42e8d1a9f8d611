import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { type Candidate, createPolicy } from "../../../services/balance/policy.ts";
import { pure } from "../../_util/permissions.ts";

function candidates(...open: number[]): Candidate[] {
  return open.map((count, index) => ({ index, name: `10.0.0.${index}:80`, open: count }));
}

function neverRandom(): number {
  throw new Error("This policy takes no chances");
}

/** Returns a function that returns the numbers one by one. */
function scripted(...numbers: number[]): () => number {
  return () => numbers.shift()!;
}

Deno.test(
  "createPolicy() with round-robin chooses backends in turn, also while some are unavailable",
  pure,
  () => {
    const policy = createPolicy("round-robin", neverRandom);
    const all = candidates(0, 0, 0, 0);
    const without1 = all.filter((backend) => backend.index !== 1);
    const chosen = [all, without1, without1, without1, all, all].map((list) => policy(list, "").index);
    assertEquals(chosen, [0, 2, 3, 0, 1, 2]);
  },
);

Deno.test(
  "createPolicy() with least-connections chooses the least loaded backend, and equal ones in turn",
  pure,
  () => {
    const policy = createPolicy("least-connections", neverRandom);
    assertEquals(policy(candidates(3, 1, 2), "").index, 1);
    const equals = [1, 2, 3].map(() => policy(candidates(1, 5, 1), "").index);
    assertEquals(equals, [2, 0, 2]);
  },
);

Deno.test("createPolicy() with random chooses the less loaded of two backends", pure, () => {
  const choose = (list: Candidate[], ...numbers: number[]) =>
    createPolicy("random", scripted(...numbers))(list, "").index;
  assertEquals(choose(candidates(5, 9, 1, 0), 0, 0), 0);
  assertEquals(choose(candidates(5, 3, 1, 0), 0, 0), 1);
  assertEquals(choose(candidates(5, 3, 1, 0), 0, 0.99), 3);
  assertEquals(choose(candidates(5, 9, 1, 6), 0.99, 0.99), 2);
  assertEquals(choose(candidates(7), 0.99), 0);
});

Deno.test(
  "createPolicy() with source moves only the clients of a backend that becomes unavailable",
  pure,
  () => {
    const policy = createPolicy("source", neverRandom);
    const all = candidates(0, 0, 0, 0);
    const sources = Array.from({ length: 4000 }, (_, index) => `192.168.${index >> 8}.${index & 255}`);
    const counts = [0, 0, 0, 0];
    for (const source of sources) {
      const before = policy(all, source).index;
      counts[before]!++;
      assertEquals(policy(all.toReversed(), source).index, before);
      const without2 = policy(all.filter((backend) => backend.index !== 2), source).index;
      assert(before === 2 ? without2 !== 2 : without2 === before);
    }
    // A fair share is 1000, its standard deviation 27.
    for (const count of counts) {
      assertGreater(count, 850);
      assertLess(count, 1150);
    }
  },
);

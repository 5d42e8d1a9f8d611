import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Watch } from "../../internal/watch.ts";

const permissions = "none";

interface Counter {
  readonly count: number;
}

function counter(): { watch: Watch<Counter>; to(count: number): void; reads: () => number } {
  let count = 0;
  let reads = 0;
  const watch = new Watch(() => {
    reads++;
    return { count };
  });
  return {
    watch,
    to(next) {
      count = next;
      watch.changed();
    },
    reads: () => reads,
  };
}

Deno.test(
  "Watch.until() returns the state immediately when the predicate already holds",
  { permissions },
  async () => {
    const { watch } = counter();
    assertEquals(await watch.until((state) => state.count === 0), { count: 0 });
  },
);

Deno.test(
  "Watch.until() returns the state for which the predicate held, even if it has changed since",
  { permissions },
  async () => {
    const { watch, to } = counter();
    const waiting = watch.until((state) => state.count === 2);
    for (const count of [1, 2, 3]) to(count);
    assertEquals(await waiting, { count: 2 });
  },
);

Deno.test("Watch.changed() resolves only the waits whose predicate holds", { permissions }, async () => {
  const { watch, to } = counter();
  const settled: string[] = [];
  const two = watch.until((state) => state.count === 2).then(() => settled.push("two"));
  const one = watch.until((state) => state.count === 1).then(() => settled.push("one"));
  to(1);
  await one;
  to(2);
  await two;
  assertEquals(settled, ["one", "two"]);
});

Deno.test("Watch.changed() reads no state when there are no waits", { permissions }, async () => {
  const { watch, to, reads } = counter();
  to(1);
  assertEquals(reads(), 0);
  const waiting = watch.until((state) => state.count === 2);
  to(2);
  await waiting;
  const before = reads();
  to(3);
  assertEquals(reads(), before);
});

Deno.test(
  "Watch.until() rejects with the signal's reason when it aborts",
  { permissions },
  async () => {
    const { watch, to, reads } = counter();
    const giveUp = new AbortController();
    const reason = new TypeError("enough");
    const waiting = watch.until((state) => state.count === 1, { signal: giveUp.signal });
    giveUp.abort(reason);
    assertStrictEquals(await assertRejects(() => waiting), reason);
    const before = reads();
    to(1);
    assertEquals(reads(), before);
    const late = watch.until(() => true, { signal: giveUp.signal });
    assertStrictEquals(await assertRejects(() => late), reason);
  },
);

Deno.test("Watch.until() leaves no listener on the signal", { permissions }, async () => {
  const { watch, to } = counter();
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  const waiting = watch.until((state) => state.count === 1, { signal });
  assertEquals(listeners.size, 1);
  to(1);
  await waiting;
  assertEquals(listeners.size, 0);
});

Deno.test(
  "Watch.until() rejects only the wait whose predicate throws",
  { permissions },
  async () => {
    const { watch, to } = counter();
    const failing = watch.until((state) => {
      if (state.count > 0) throw new RangeError("broken");
      return false;
    });
    const waiting = watch.until((state) => state.count === 1);
    to(1);
    await assertRejects(() => failing, RangeError, "broken");
    assertEquals(await waiting, { count: 1 });
    await assertRejects(
      () =>
        watch.until(() => {
          throw new RangeError("at once");
        }),
      RangeError,
      "at once",
    );
  },
);

Deno.test("Watch.until() resolves when it is called within a predicate", { permissions }, async () => {
  const { watch, to } = counter();
  let inner: Promise<Counter> | undefined;
  const outer = watch.until((state) => {
    if (state.count === 1) inner ??= watch.until((later) => later.count === 2);
    return state.count === 1;
  });
  to(1);
  await outer;
  to(2);
  assert(inner !== undefined);
  assertEquals(await inner, { count: 2 });
});

import { assert, assertEquals } from "@std/assert";
import { ThreadLoadMeter } from "../../../loadtest/process/thread_load.ts";

/** Fills the young generation several times. */
function makeGarbage(): number {
  let kept: unknown[] = [];
  for (let i = 0; i < 2_000_000; i++) {
    kept.push({ i });
    if (kept.length > 100_000) kept = [];
  }
  return kept.length;
}

Deno.test("ThreadLoadMeter.take() returns shares of the time since the last call", () => {
  using meter = new ThreadLoadMeter();
  makeGarbage();
  const { cpu, waiting, garbage } = meter.take();
  for (const share of [cpu, waiting, garbage]) {
    assert(share === null || (share >= 0 && share <= 1), `${share}`);
  }
  assert(garbage !== null && garbage > 0, "garbage was collected");
  if (Deno.build.os === "linux") assert(cpu !== null && cpu > 0, "the thread ran");
});

Deno.test({
  name: "ThreadLoadMeter.take() returns null for what it is not allowed to read",
  permissions: "none",
  fn: () => {
    using meter = new ThreadLoadMeter();
    const { cpu, waiting } = meter.take();
    assertEquals([cpu, waiting], [null, null]);
  },
});

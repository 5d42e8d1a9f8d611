import { assertEquals, assertThrows } from "@std/assert";
import {
  type Backend,
  BackendPool,
  type BackendPoolOptions,
  type Demand,
} from "../../../services/balance/backend_pool.ts";
import { createPolicy } from "../../../services/balance/policy.ts";
import { pure } from "../../_util/permissions.ts";

function createPool(count: number, options: Partial<BackendPoolOptions> = {}): BackendPool {
  const addresses = Array.from({ length: count }, (_, index) => ({ hostname: `10.0.0.${index}`, port: 80 }));
  return new BackendPool(addresses, { policy: createPolicy("round-robin", Math.random), ...options });
}

/** Returns a demand that records the backends granted to it. */
function demandOf(
  pool: BackendPool,
  avoid: readonly Backend[] = [],
): Demand & { given: number[]; answer: string } {
  const given: number[] = [];
  const demand = {
    source: "1.2.3.4",
    avoid: new Set(avoid),
    given,
    answer: "",
    grant: (backend: Backend) => void given.push(backend.index),
  };
  demand.answer = pool.demand(demand);
  return demand;
}

Deno.test("BackendPool.demand() grants backends by the policy, and counts them", pure, () => {
  const pool = createPool(2);
  assertEquals([1, 2, 3].flatMap(() => demandOf(pool).given), [0, 1, 0]);
  pool.release(pool.backends[0]!);
  assertEquals(pool.stats().backends.map(({ open, total }) => [open, total]), [[1, 2], [1, 1]]);
});

Deno.test(
  "BackendPool.report() changes the health after `fall` failures or `rise` successes in a row",
  pure,
  () => {
    const pool = createPool(2, { rise: 2, fall: 3 });
    const [first] = pool.backends;
    const report = (...results: boolean[]) => results.map((ok) => pool.report(first!, ok));
    assertEquals(report(false, false, true, false, false), [false, false, false, false, false]);
    assertEquals(report(false), [true]);
    assertEquals(pool.stats().backends.map((backend) => backend.healthy), [false, true]);
    assertEquals([1, 2].flatMap(() => demandOf(pool).given), [1, 1]);
    assertEquals(report(true, false, true, true), [false, false, false, true]);
    assertEquals(pool.stats().backends[0]!.failures, 6);
    assertEquals(demandOf(pool).given, [0]);
  },
);

Deno.test("BackendPool.release() grants a backend to the first in the queue, which is limited", pure, () => {
  const pool = createPool(1, { maxPerBackend: 1, maxQueue: 2 });
  const demands = [1, 2, 3, 4].map(() => demandOf(pool));
  assertEquals(demands.map((demand) => demand.answer), ["granted", "queued", "queued", "refused"]);
  assertEquals([pool.stats().queued, pool.stats().refused], [2, 1]);
  pool.release(pool.backends[0]!);
  assertEquals(demands.map((demand) => demand.given.length), [1, 1, 0, 0]);
  pool.release(pool.backends[0]!);
  assertEquals(demands.map((demand) => demand.given.length), [1, 1, 1, 0]);
  assertEquals(pool.stats().backends[0]!.open, 1);
});

Deno.test("BackendPool.cancel() removes a client from the queue", pure, () => {
  const pool = createPool(1, { maxPerBackend: 1 });
  demandOf(pool);
  const gone = demandOf(pool);
  const next = demandOf(pool);
  pool.cancel(gone);
  pool.release(pool.backends[0]!);
  assertEquals([gone.given, next.given], [[], [0]]);
});

Deno.test("BackendPool.report() grants a backend to queued clients when it is healthy again", pure, () => {
  const pool = createPool(1, { rise: 1, fall: 1 });
  pool.report(pool.backends[0]!, false);
  const waiting = demandOf(pool);
  assertEquals(waiting.answer, "queued");
  pool.report(pool.backends[0]!, true);
  assertEquals(waiting.given, [0]);
});

Deno.test("BackendPool.drain() grants a backend to no client until it is restored", pure, () => {
  const pool = createPool(2);
  demandOf(pool);
  pool.drain("10.0.0.0:80");
  assertEquals([1, 2].flatMap(() => demandOf(pool).given), [1, 1]);
  assertEquals(pool.stats().backends[0], {
    name: "10.0.0.0:80",
    healthy: true,
    draining: true,
    open: 1,
    total: 1,
    failures: 0,
  });
  pool.drain("10.0.0.1:80");
  const waiting = demandOf(pool);
  pool.restore("10.0.0.0:80");
  assertEquals(waiting.given, [0]);
  assertThrows(
    () => pool.drain("10.0.0.9:80"),
    RangeError,
    "10.0.0.9:80: expected one of 10.0.0.0:80, 10.0.0.1:80",
  );
});

Deno.test("BackendPool.demand() grants an avoided backend only when there is no other", pure, () => {
  const pool = createPool(2);
  const [first, second] = pool.backends;
  assertEquals([1, 2].flatMap(() => demandOf(pool, [first!]).given), [1, 1]);
  assertEquals(demandOf(pool, [first!, second!]).given, [0]);
});

Deno.test("BackendPool() throws when there is no backend, or one is given twice", pure, () => {
  assertThrows(() => createPool(0), TypeError, "no backend");
  const address = { hostname: "10.0.0.1", port: 80 };
  const policy = createPolicy("random", Math.random);
  assertThrows(() => new BackendPool([address, address], { policy }), TypeError, "10.0.0.1:80");
});

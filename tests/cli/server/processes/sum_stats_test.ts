import { assertEquals } from "@std/assert";
import { sumStats } from "../../../../cli/server/processes/sum_stats.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("sumStats() adds numbers at every depth, and keeps keys that only some states have", pure, () => {
  const one = { connections: 1, closed: { natural: 2 }, name: "relay" };
  const two = { connections: 4, closed: { natural: 3, reset: 1 }, extra: 7 };
  assertEquals(sumStats([one, two]), {
    connections: 5,
    closed: { natural: 5, reset: 1 },
    name: "relay",
    extra: 7,
  });
});

Deno.test("sumStats() is suspended only when every process is", pure, () => {
  assertEquals(sumStats([{ suspended: true }, { suspended: true }]), { suspended: true });
  assertEquals(sumStats([{ suspended: true }, { suspended: false }]), { suspended: false });
});

Deno.test("sumStats() of no states is empty", pure, () => assertEquals(sumStats([]), {}));

import { assert, assertEquals } from "@std/assert";
import { describeCapacity, findCapacity, type LevelResult } from "../../../loadtest/capacity/search.ts";

const permissions = "none";

/** A server with a limit, and a generator with another. */
function limits(
  server: number,
  generator = Infinity,
): (rate: number) => Promise<{ result: LevelResult; why: string }> {
  return (rate) => {
    const result = rate > generator ? "invalid" : rate > server ? "failed" : "held";
    return Promise.resolve({ result, why: result === "held" ? "" : "because" });
  };
}

Deno.test({
  name: "findCapacity() returns an interval that contains the server's limit",
  permissions,
  fn: async () => {
    for (const limit of [1, 7, 99, 100, 150, 2000, 43_210, 1_000_000]) {
      const { ending, low, high, levels } = await findCapacity({ run: limits(limit) });
      assertEquals(ending, "server");
      assert(low <= limit && limit < high!, `${low} to ${high} of ${limit}`);
      assert(high! - low <= Math.max(1, 0.06 * high!));
      assertEquals(levels.at(-1), { rate: low, confirms: true, result: "held", why: "" });
    }
  },
});

Deno.test({
  name:
    "findCapacity() answers generator when levels are invalid, and never takes them for the server's limit",
  permissions,
  fn: async () => {
    for (const server of [Infinity, 6000]) {
      const { ending, low, high } = await findCapacity({ run: limits(server, 5000) });
      assertEquals(ending, "generator");
      assert(low <= 5000 && 5000 < high!);
    }
    assertEquals((await findCapacity({ run: limits(4000, 5000) })).ending, "server");
  },
});

Deno.test({
  name: "findCapacity() runs a level that is invalid once more",
  permissions,
  fn: async () => {
    let disturbed = 0;
    const run = limits(2000);
    const { ending, low } = await findCapacity({
      run: (rate) =>
        rate === 800 && disturbed++ === 0 ? Promise.resolve({ result: "invalid", why: "" }) : run(rate),
    });
    assertEquals([ending, disturbed], ["server", 2]);
    assert(low > 1800);
  },
});

Deno.test({
  name: "findCapacity() lowers its answer when the longer run does not confirm it",
  permissions,
  fn: async () => {
    const { ending, low, high } = await findCapacity({
      run: (rate, { confirms }) => limits(confirms ? 1500 : 2000)(rate),
    });
    assertEquals(ending, "server");
    assert(low <= 1500 && high! <= 2000, `${low} to ${high}`);
  },
});

Deno.test({
  name: "findCapacity() finds nothing when no rate holds, or every rate does",
  permissions,
  fn: async () => {
    const none = await findCapacity({ run: limits(0) });
    assertEquals([none.ending, none.low, none.high], ["not found", 0, 1]);
    const all = await findCapacity({ run: limits(Infinity), most: 1000 });
    assertEquals([all.ending, all.low, all.high], ["not found", 800, null]);
    const network = await findCapacity({
      run: (rate) => Promise.resolve({ result: rate > 300 ? "network" : "held", why: "exhausted" }),
    });
    assertEquals(network.ending, "network");
  },
});

Deno.test({
  name: "describeCapacity() says the interval and the limit",
  permissions,
  fn: () => {
    const levels = [] as const;
    assertEquals(
      describeCapacity(
        { ending: "server", low: 41_000, high: 43_500, why: "lost==0: 3", levels },
        "messages",
      ),
      "The server holds 41,000 to 43,500 messages/s (lost==0: 3)",
    );
    assertEquals(
      describeCapacity({ ending: "not found", low: 0, high: 1, why: "refused", levels }, "messages"),
      "No rate held (refused)",
    );
  },
});

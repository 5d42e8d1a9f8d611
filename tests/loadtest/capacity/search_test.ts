import { assert, assertEquals } from "@std/assert";
import { describeEarlyEnd } from "../../../loadtest/capacity/early_end.ts";
import {
  type CapacityOptions,
  describeCapacity,
  describeDoubt,
  findCapacity,
  type LevelResult,
} from "../../../loadtest/capacity/search.ts";

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

/** Counts of a failed level of a second, in which the server answers as many requests as expected. */
function answering(ok: (rate: number) => number): CapacityOptions["run"] {
  return (rate) => {
    const answered = Math.min(rate, Math.round(ok(rate)));
    const result = answered < rate ? "failed" : "held";
    return Promise.resolve({ result, why: "", requests: rate, ok: answered });
  };
}

Deno.test({
  name: "findCapacity() ends when the lowest rate fails and the rate is not the reason",
  permissions,
  fn: async () => {
    const cases: [run: CapacityOptions["run"], rates: number[], says: string][] = [
      [
        () => Promise.resolve({ result: "failed", why: "", requests: 500, ok: 0, always: "replies" }),
        [400],
        "The rate is not the reason, so no lower one was tried: at 400 messages/s, the server answered all 500 requests, and none as expected",
      ],
      [
        () => Promise.resolve({ result: "failed", why: "", requests: 0, ok: 0, always: "scenario" }),
        [400],
        "The rate is not the reason, so no lower one was tried: at 400 messages/s, the scenario threw an error in every session",
      ],
      [
        answering(() => 0),
        [400, 200],
        "A lower rate does not help, so the search ended: at 200 messages/s, 0 of 200 were answered as expected, hardly a larger share than at 400, 0 of 400",
      ],
      [
        answering(() => 0),
        [40, 20],
        "A lower rate does not help, so the search ended: at 20 messages/s, 0 of 20 were answered as expected, hardly a larger share than at 40, 0 of 40",
      ],
      [
        answering((rate) => 0.5 * rate + 5),
        [400, 200],
        "A lower rate does not help, so the search ended: at 200 messages/s, 105 of 200 were answered as expected, hardly a larger share than at 400, 205 of 400",
      ],
    ];
    for (const [run, rates, says] of cases) {
      const capacity = await findCapacity({ run, start: rates[0]! });
      assertEquals([capacity.ending, capacity.low, capacity.levels.map(({ rate }) => rate)], [
        "not found",
        0,
        rates,
      ]);
      assertEquals(describeEarlyEnd(capacity, "messages"), says);
    }
  },
});

Deno.test({
  name: "findCapacity() looks for a lower rate when the rate may be the reason",
  permissions,
  fn: async () => {
    // An overloaded server answers the same number at any rate. Few requests, and those of unknown number, show nothing.
    for (const [limit, start] of [[30, 400], [1, 400], [7, 10], [0, 10], [0, 39]] as const) {
      const capacity = await findCapacity({ run: answering(() => limit), start });
      assertEquals(capacity.ending, limit === 0 ? "not found" : "server");
      assert(capacity.low <= limit, `${capacity.low} of ${limit}`);
      assertEquals(describeEarlyEnd(capacity, "messages"), undefined);
    }
    // A bound that does not hold says nothing about the replies.
    const bounded = await findCapacity({
      run: (rate) =>
        Promise.resolve({ result: rate > 60 ? "failed" : "held", why: "p99", requests: rate, ok: rate }),
      start: 400,
    });
    assertEquals(bounded.ending, "server");
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

Deno.test({
  name: "findCapacity() announces each level with its reason",
  permissions,
  fn: async () => {
    const tried: string[] = [];
    const slow = limits(Infinity);
    let times = 0;
    await findCapacity({
      start: 400,
      precision: 0.3,
      // The generator is too slow for the first level, and a longer run holds half of the answer only.
      run: async (rate, { confirms }) =>
        times++ === 0
          ? { result: "invalid", why: "" }
          : await (rate <= (confirms ? 90 : 180) ? slow : limits(0))(rate),
      onTry: (rate, { step, confirms }) => tried.push(`${rate} ${step}${confirms ? ", longer" : ""}`),
    });
    assertEquals(tried, [
      "400 doubling",
      "400 repeating",
      "200 halving",
      "100 halving",
      "150 bisecting",
      "150 confirming, longer",
      "120 confirming, longer",
      "96 confirming, longer",
      "76 confirming, longer",
    ]);
  },
});

Deno.test({
  name:
    "findCapacity() ends with the rates found so far, without the level in progress, when it is interrupted",
  permissions,
  fn: async () => {
    for (const [at, low, high] of [[1, 0, null], [4, 400, null], [6, 800, 1600]] as const) {
      const interrupted = new AbortController();
      const run = limits(1000);
      let times = 0;
      const capacity = await findCapacity({
        signal: interrupted.signal,
        run: (rate) => {
          if (++times === at) interrupted.abort();
          return run(rate);
        },
      });
      assertEquals([capacity.ending, capacity.low, capacity.high], ["interrupted", low, high]);
      assertEquals(capacity.levels.length, at - 1);
    }
  },
});

Deno.test({
  name: "describeCapacity() says what is known when the search was interrupted",
  permissions,
  fn: () => {
    const found = { ending: "interrupted", why: "", levels: [] } as const;
    const of = (low: number, high: number | null) => describeCapacity({ ...found, low, high }, "messages");
    assertEquals(of(0, null), "Interrupted: no rate held until then");
    assertEquals(of(1200, null), "Interrupted: 1,200 messages/s held, not confirmed");
    assertEquals(of(1200, 1600), "Interrupted: 1,200 messages/s held, not confirmed, and 1,600 did not");
  },
});

Deno.test({
  name: "describeDoubt() says when a rate failed that is well below one that held",
  permissions,
  fn: () => {
    const doubt = (...levels: (readonly [rate: number, result: LevelResult])[]) =>
      describeDoubt(
        { levels: levels.map(([rate, result]) => ({ rate, result, confirms: false, why: "" })) },
        "messages",
      );
    assertEquals(doubt(), undefined);
    assertEquals(doubt([1000, "failed"]), undefined);
    assertEquals(doubt([100, "held"], [200, "failed"], [150, "held"], [150, "failed"]), undefined);
    assertEquals(doubt([1000, "held"], [801, "failed"]), undefined);
    assertEquals(doubt([400, "invalid"], [800, "held"]), undefined);
    assertEquals(
      doubt([1000, "held"], [2000, "failed"], [1000, "failed"], [800, "failed"]),
      "The failures may not depend on the rate: 800 messages/s failed, although 1,000 messages/s held",
    );
  },
});

import { assertEquals } from "@std/assert";
import { describeLimit } from "../../../loadtest/judge/limit.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import { ENDING, goodRun, ledgerOf } from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

const late = { event: "generator", process: 0, loopLag: 250, socketLag: 1 } as const;

Deno.test("describeLimit() names garbage, other processes, the process itself, or neither", pure, () => {
  const limitOf = (cpu: number | null, waiting: number | null, garbage: number | null) =>
    describeLimit({ ...late, load: { cpu, waiting, garbage } });
  assertEquals(limitOf(0.9, 0.3, 0.4), ": garbage collection took 40 % of the time");
  assertEquals(limitOf(0.6, 0.4, 0.1), ": short of CPU, because other processes had it for 40 % of the time");
  assertEquals(
    limitOf(0.97, 0.02, 0.1),
    ": short of CPU, because its own work took 97 % of a core (--processes adds cores)",
  );
  assertEquals(
    limitOf(0.3, 0.1, null),
    ": neither CPU (30 % of a core) nor garbage collection (0 %) explains it",
  );
  assertEquals([limitOf(null, null, null), describeLimit(late), describeLimit(undefined)], ["", "", ""]);
});

Deno.test("judge() says in an invalid run which limit its generator hit", pure, () => {
  const load = { cpu: 0.95, waiting: 0.05, garbage: 0.1 };
  const events = goodRun(4).map((event) => event.event === "generator" ? { ...late, load } : event);
  const { verdict, findings } = judge(ledgerOf(events));
  assertEquals([verdict, findings.map(({ text }) => text)], ["invalid", [
    "In generator process 0, timers ran 250ms late at the 99th percentile (limit 100ms): short of CPU, because its own " +
    "work took 95 % of a core (--processes adds cores)",
  ]]);
  assertEquals(ENDING.some(({ event }) => event === "generator"), true);
});

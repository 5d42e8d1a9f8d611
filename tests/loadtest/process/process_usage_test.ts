import { assert, assertEquals } from "@std/assert";
import {
  addUsage,
  NO_USAGE,
  type ProcessUsage,
  usageElsewhere,
  usageOf,
  usageSince,
} from "../../../loadtest/process/process_usage.ts";

const pure = { permissions: "none" } as const;

Deno.test("addUsage() counts pages of files once, however many processes share them", pure, () => {
  const processes: ProcessUsage[] = [
    { cpuSeconds: 1, peakMemory: 100, fileMemory: 40 },
    { cpuSeconds: 2, peakMemory: 70, fileMemory: 39 },
    { cpuSeconds: 3, peakMemory: 90, fileMemory: 41 },
  ];
  // 60, 31, and 49 bytes of their own, and the 41 of the one that has most of the file.
  const sum = { cpuSeconds: 6, peakMemory: 181, fileMemory: 41 };
  assertEquals(processes.reduce(addUsage, NO_USAGE), sum);
  assertEquals(processes.toReversed().reduce(addUsage), sum);
});

Deno.test("addUsage() knows nothing of a sum when one part is unknown", pure, () => {
  const unknown = { cpuSeconds: null, peakMemory: null };
  const { cpuSeconds, peakMemory } = addUsage({ cpuSeconds: 1, peakMemory: 100, fileMemory: 40 }, unknown);
  assertEquals([cpuSeconds, peakMemory], [null, null]);
});

Deno.test("addUsage() counts all of a process on another machine", pure, () => {
  const here = { cpuSeconds: 1, peakMemory: 100, fileMemory: 40 };
  const there = usageElsewhere({ cpuSeconds: 2, peakMemory: 70, fileMemory: 39 });
  const sum = { cpuSeconds: 3, peakMemory: 170, fileMemory: 40 };
  assertEquals([addUsage(here, there), addUsage(there, here)], [sum, sum]);
});

Deno.test("usageSince() subtracts processor time, and keeps the peak of memory", pure, () => {
  const before = { cpuSeconds: 1, peakMemory: 100, fileMemory: 40 };
  const after = { cpuSeconds: 3.5, peakMemory: 120, fileMemory: 41 };
  assertEquals(usageSince(before, after), { cpuSeconds: 2.5, peakMemory: 120, fileMemory: 41 });
});

Deno.test({
  name: "usageOf() reads processor time and memory of this process, of which a part is pages of files",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    const { cpuSeconds, peakMemory, fileMemory } = usageOf(Deno.pid);
    assert(cpuSeconds! > 0);
    assert(fileMemory! > 0 && fileMemory! < peakMemory!);
  },
});

import { assert, assertEquals } from "@std/assert";
import { EventLoopLag } from "../../admin/metrics/event_loop_lag.ts";
import { MetricSet } from "../../admin/metrics/metric_set.ts";
import { addProcessMetrics, type OtherProcesses } from "../../admin/metrics/process_metrics.ts";
import { fileMemory } from "../../loadtest/process/process_usage.ts";
import { systemClock } from "../../socket/tcp.ts";

const ignore = Deno.build.os !== "linux";

async function metricsOf(others?: () => OtherProcesses): Promise<(name: string) => number> {
  const metrics = new MetricSet();
  addProcessMetrics(metrics, { name: "relay", version: "1.2.3" }, new EventLoopLag(systemClock), others);
  const lines = (await metrics.text()).split("\n");
  return (name) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
}

Deno.test({
  name: "addProcessMetrics() adds up the processes of a server, and counts the pages that they share once",
  ignore,
  fn: async () => {
    const figures = { cpuSeconds: 1000, residentMemory: 2 ** 40, heap: 2 ** 41 };
    const alone = await metricsOf();
    // This process once more, because its files and descriptors can be counted.
    const both = await metricsOf(() => ({ running: [{ pid: Deno.pid, figures }], endedCpuSeconds: 10_000 }));
    const cpu = both("process_cpu_seconds_total") - alone("process_cpu_seconds_total");
    assert(cpu >= 11_000 && cpu < 11_100, `${cpu} s`);
    const pages = fileMemory(Deno.pid)!;
    assert(pages > 2 ** 20, `${pages} bytes of files`);
    const grown = 2 ** 28; // Room for what this process allocates, and maps, in the meantime.
    const memory = both("process_resident_memory_bytes") - alone("process_resident_memory_bytes");
    assert(memory < 2 ** 40 && Math.abs(memory - (2 ** 40 - pages)) < grown, `${memory} bytes`);
    assert(Math.abs(both("process_heap_bytes") - 2 ** 41 - alone("process_heap_bytes")) < grown);
    assertEquals(both("process_max_fds"), 2 * alone("process_max_fds"));
    assert(both("process_open_fds") > alone("process_open_fds"));
    assertEquals(both("process_start_time_seconds"), alone("process_start_time_seconds"));
  },
});

Deno.test("addProcessMetrics() counts no descriptors of a process that has ended", { ignore }, async () => {
  const figures = { cpuSeconds: 0, residentMemory: 0, heap: 0 };
  const child = new Deno.Command("true").spawn();
  await child.status;
  const metrics = await metricsOf(() => ({ running: [{ pid: child.pid, figures }], endedCpuSeconds: 0 }));
  // Those of this process are left, whose number changes while other tests run in it.
  const descriptors = metrics("process_open_fds");
  assert(Number.isInteger(descriptors) && descriptors > 0, `${descriptors} descriptors`);
});

import { assertEquals, assertRejects } from "@std/assert";
import type { GeneratorProcess } from "../../../loadtest/generate/generator_process.ts";
import { WorkerPool } from "../../../loadtest/generate/worker_pool.ts";
import { Plan } from "../../../loadtest/plan/plan.ts";
import { runEvent } from "../../_util/loadtest/run_events.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const CLIENTS = 4;

/** Returns a process at an agent that has ended, and whose history is `slices`, or is lost after them. */
function endedAtAgent({ slices, lost = false }: {
  readonly slices: readonly (readonly string[])[];
  readonly lost?: boolean;
}): GeneratorProcess & { closed: boolean } {
  return {
    closed: false,
    ended: Promise.resolve({ code: 0, signal: null }),
    agent: { name: "10.0.0.2:7000", offset: 0, roundTrip: 1 },
    send: () => Promise.resolve(),
    terminate() {},
    history(onLines) {
      for (const lines of slices) onLines(lines);
      return lost ? Promise.reject(new Error("lost")) : Promise.resolve();
    },
    close() {
      this.closed = true;
      return Promise.resolve();
    },
  };
}

/** Starts a pool over processes, whose histories go to `folder`. */
function startPool(processes: readonly GeneratorProcess[], folder: string): Promise<WorkerPool> {
  return WorkerPool.start({
    run: runEvent(CLIENTS),
    plan: new Plan({
      seed: 1,
      clients: CLIENTS,
      window: 10,
      arrival: "uniform",
      replyDelay: { type: "none" },
      payload: { type: "short" },
    }),
    targets: [{ hostname: "127.0.0.1", port: 1 }],
    processes: processes.length,
    startProcess: (number) => Promise.resolve(processes[number]!),
    historyOf: (part) => `${folder}/part-${part}`,
  });
}

Deno.test("WorkerPool.collectHistories() writes the events of each agent to its part", async () => {
  await using folder = new TempDir();
  const processes = [endedAtAgent({ slices: [["a", "b"], ["c"]] }), endedAtAgent({ slices: [] })];
  const pool = await startPool(processes, folder.path);
  await pool.collectHistories();
  assertEquals(await folder.read("part-0"), "a\nb\nc\n");
  assertEquals(await folder.read("part-1"), "");
  assertEquals(processes.map(({ closed }) => closed), [true, true]);
});

Deno.test("WorkerPool.collectHistories() rejects when the events of an agent are lost", async () => {
  await using folder = new TempDir();
  const processes = [endedAtAgent({ slices: [["a"]], lost: true }), endedAtAgent({ slices: [["b"]] })];
  const pool = await startPool(processes, folder.path);
  await assertRejects(() => pool.collectHistories(), Error, "lost");
  assertEquals(await folder.read("part-1"), "b\n");
});

import { assertEquals, assertRejects } from "@std/assert";
import type { GeneratorProcess } from "../../../loadtest/generate/generator_process.ts";
import { NO_PROGRESS } from "../../../loadtest/generate/generator.ts";
import {
  GeneratorError,
  WorkerPool,
  type WorkerPoolOptions,
} from "../../../loadtest/generate/worker_pool.ts";
import { Plan } from "../../../loadtest/plan/plan.ts";
import type { ChildMessage } from "../../../loadtest/process/child_process.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
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

/** Returns where the history of a part goes. */
function partIn({ path }: TempDir): (part: number) => string {
  return (part) => `${path}/part-${part}`;
}

/** Starts a pool over processes. */
function startPool(
  processes: readonly GeneratorProcess[],
  options: Partial<WorkerPoolOptions>,
): Promise<WorkerPool> {
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
    ...options,
  });
}

Deno.test("WorkerPool.collectHistories() writes the events of each agent to its part", async () => {
  await using folder = new TempDir();
  const processes = [endedAtAgent({ slices: [["a", "b"], ["c"]] }), endedAtAgent({ slices: [] })];
  const pool = await startPool(processes, { historyOf: partIn(folder) });
  await pool.collectHistories();
  assertEquals(await folder.read("part-0"), "a\nb\nc\n");
  assertEquals(await folder.read("part-1"), "");
  assertEquals(processes.map(({ closed }) => closed), [true, true]);
});

Deno.test("WorkerPool.collectHistories() rejects when the events of an agent are lost", async () => {
  await using folder = new TempDir();
  const processes = [endedAtAgent({ slices: [["a"]], lost: true }), endedAtAgent({ slices: [["b"]] })];
  const pool = await startPool(processes, { historyOf: partIn(folder) });
  await assertRejects(() => pool.collectHistories(), Error, "lost");
  assertEquals(await folder.read("part-1"), "b\n");
});

Deno.test("WorkerPool.progress names a process that has not reported for three seconds, until it does", async () => {
  const clock = new VirtualClock();
  const ends = [0, 1].map(() => Promise.withResolvers<{ code: number; signal: null }>());
  const report: ((message: ChildMessage) => void)[] = [];
  const starting = startPool([], {
    clock,
    processes: 2,
    startProcess: (number, onMessage) => {
      report[number] = onMessage;
      onMessage({ event: "ready" });
      return Promise.resolve({ ...endedAtAgent({ slices: [] }), ended: ends[number]!.promise });
    },
  });
  const pool = await starting;
  const silent = () => pool.progress.trouble.silent.map(({ process, agent }) => `${process} at ${agent}`);
  const running = pool.run();
  const progress = { event: "progress", progress: NO_PROGRESS };
  await clock.advance(3000);
  assertEquals(silent(), []);
  report[1]!(progress);
  await clock.advance(1000);
  assertEquals(silent(), ["0 at 10.0.0.2:7000"]);
  report[0]!(progress);
  assertEquals(silent(), []);
  ends[1]!.resolve({ code: 0, signal: null });
  await clock.advance(4000);
  assertEquals(silent(), ["0 at 10.0.0.2:7000"]);
  ends[0]!.resolve({ code: 0, signal: null });
  await running;
  assertEquals(silent(), []);
});

/** A process that does not end until it is terminated, and the messages that it sends. */
function runningProcess(): GeneratorProcess & { terminated: boolean } {
  const ended = Promise.withResolvers<{ code: number; signal: null }>();
  return {
    terminated: false,
    ended: ended.promise,
    send: () => Promise.resolve(),
    terminate() {
      this.terminated = true;
      ended.resolve({ code: 1, signal: null });
    },
  };
}

Deno.test("WorkerPool.start() names a process that is not ready in time, and ends all", async () => {
  const clock = new VirtualClock();
  const processes = [runningProcess(), runningProcess()];
  const startProcess = (number: number, onMessage: (message: ChildMessage) => void) => {
    if (number === 0) onMessage({ event: "ready" });
    return Promise.resolve(processes[number]!);
  };
  const rejected = assertRejects(
    () => startPool(processes, { clock, startProcess }),
    GeneratorError,
    "generator process 1 was not ready within 5m",
  );
  await clock.advance(300_000);
  await rejected;
  await Promise.all(processes.map(({ ended }) => ended));
  assertEquals(processes.map(({ terminated }) => terminated), [true, true]);
});

Deno.test("WorkerPool.start() ends all processes when it is interrupted before they are ready", async () => {
  const interrupted = new AbortController();
  const process = runningProcess();
  const rejected = assertRejects(
    () => startPool([process], { signal: interrupted.signal }),
    GeneratorError,
    "interrupted",
  );
  interrupted.abort();
  await rejected;
  await process.ended;
});

Deno.test("WorkerPool.run() ends a process whose messages are not a generator's, and names it", async () => {
  const broken: ChildMessage[][] = [
    [{ event: "progress" }],
    [{ event: "progress", progress: { ...NO_PROGRESS, latency: null } }],
    [{ event: "usage", usage: null }],
    [{ event: "ledger", piece: "AAAA", last: true }, { event: "stopped" }],
  ];
  for (const messages of broken) {
    let send: (message: ChildMessage) => void = () => {};
    const process = runningProcess();
    const died: string[] = [];
    const pool = await startPool([process], {
      onEvent: (event) => event.event === "died" ? died.push(event.detail) : undefined,
      startProcess: (_, onMessage) => {
        send = onMessage;
        send({ event: "ready" });
        return Promise.resolve(process);
      },
    });
    const running = pool.run();
    messages.forEach((message) => send(message));
    if (messages.at(-1)?.event === "stopped") process.terminate(0);
    await running;
    assertEquals(pool.progress.acknowledged, 0);
    assertEquals(
      /it sent a message that is not a generator's|its ledger cannot be read/.test(died[0]!),
      true,
    );
  }
});

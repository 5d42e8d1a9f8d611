import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Supervisor, type SupervisorOptions } from "../../../../cli/server/processes/supervisor.ts";
import { Log } from "../../../../cli/terminal/log.ts";
import { ExitError } from "../../../../cli/terminal/exit.ts";
import { VirtualClock } from "../../../../testing/virtual_clock.ts";
import { denoRun } from "../../../_util/programs/program.ts";
import { until } from "../../../_util/until.ts";
import { CollectedOutput } from "../../../_util/collected_output.ts";

/** Longer than any wait before a restart, in ms. */
const LONGEST_WAIT = 10_000;

/** An echo server of two processes, each with a port of its own, whose restarts wait for a virtual clock. */
async function start(
  clock: VirtualClock,
  options: Pick<SupervisorOptions, "drainTimeout" | "grace" | "onEnd"> = {},
): Promise<{ supervisor: Supervisor; said: () => string }> {
  const stderr = new CollectedOutput();
  const supervisor = await Supervisor.start({
    processes: 2,
    command: denoRun("server.ts", ["echo", "--host", "127.0.0.1", "--port", "0", "--until-stdin-ends"]),
    port: {
      addresses: [],
      open: () => ({ args: [], sharedWith: (start) => start(), close() {} }),
      close() {},
    },
    log: new Log({ stderr }),
    clustered: false,
    clock,
    ...options,
  });
  return { supervisor, said: () => stderr.text };
}

interface Stats {
  readonly processes: number;
  readonly restarts: number;
  readonly workers: readonly { readonly pid: number }[];
}

interface State {
  readonly processes: number;
  readonly restarts: number;
  readonly pids: readonly number[];
}

/** Waits for this number of processes, and returns the state. */
async function untilRunning(count: number, supervisor: Supervisor): Promise<State> {
  for (;;) {
    await supervisor.collect();
    const { processes, restarts, workers } = supervisor.stats() as Stats;
    if (processes === count) return { processes, restarts, pids: workers.map(({ pid }) => pid) };
  }
}

Deno.test("Supervisor.restart() starts one process in the place of one that waits for its restart", async () => {
  const clock = new VirtualClock();
  const { supervisor, said } = await start(clock);
  try {
    const [victim] = (await untilRunning(2, supervisor)).pids;
    Deno.kill(victim!, "SIGKILL");
    await until(() => clock.timers === 1);
    assertStringIncludes(said(), `(pid ${victim}) ended with signal SIGKILL: restarting in `);
    await supervisor.restart();
    // Otherwise, a second process would start in the same place, and none would watch the first.
    assertEquals(clock.timers, 0);
    await clock.advance(LONGEST_WAIT);
    const { processes, restarts, pids } = await untilRunning(2, supervisor);
    assertEquals([processes, restarts, pids.includes(victim!)], [2, 0, false]);
    assertStringIncludes(said(), "Process 2 of 2 replaced");
  } finally {
    await supervisor.shutdown();
  }
});

Deno.test("Supervisor restarts a process that died after its wait", async () => {
  const clock = new VirtualClock();
  const { supervisor } = await start(clock);
  try {
    const [victim] = (await untilRunning(2, supervisor)).pids;
    Deno.kill(victim!, "SIGKILL");
    await until(() => clock.timers === 1);
    await untilRunning(1, supervisor);
    await clock.advance(LONGEST_WAIT);
    const { processes, restarts, pids } = await untilRunning(2, supervisor);
    assertEquals([processes, restarts, pids.includes(victim!)], [2, 1, false]);
  } finally {
    await supervisor.shutdown();
  }
});

Deno.test("Supervisor.close() ends once when it cuts a shutdown short", async () => {
  let ends = 0;
  const onEnd = () => Promise.resolve(void ends++);
  const { supervisor } = await start(new VirtualClock(), { onEnd });
  await Promise.all([supervisor.shutdown(), supervisor.close()]);
  await supervisor.finished;
  assertEquals(ends, 1);
});

Deno.test("Supervisor.close() kills a process that hangs, and reports it", async () => {
  const { supervisor } = await start(new VirtualClock(), { grace: 100 });
  const [hung] = (await untilRunning(2, supervisor)).pids;
  Deno.kill(hung!, "SIGSTOP");
  await supervisor.close();
  await assertRejects(
    () => supervisor.finished,
    ExitError,
    "1 of 2 processes failed to end: hung, and was killed",
  );
});

Deno.test("Supervisor.restart() kills a process that hangs, and replaces all of them", async () => {
  const { supervisor, said } = await start(new VirtualClock(), { drainTimeout: 100, grace: 100 });
  try {
    const [hung] = (await untilRunning(2, supervisor)).pids;
    Deno.kill(hung!, "SIGSTOP");
    await supervisor.restart();
    assertStringIncludes(said(), "; the old one hung, and was killed");
    assertStringIncludes(said(), "Process 2 of 2 replaced");
  } finally {
    await supervisor.shutdown();
  }
});

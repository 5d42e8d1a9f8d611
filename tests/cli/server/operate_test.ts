/** The log messages and exit codes when a service has ended. */
import { assertEquals, assertRejects, fail } from "@std/assert";
import { ExitError } from "../../../cli/terminal/exit.ts";
import { Log } from "../../../cli/terminal/log.ts";
import { operate, type OperateOptions } from "../../../cli/server/operate.ts";
import type { RunningService } from "../../../cli/server/service_command.ts";
import { CollectedOutput } from "../../_util/collected_output.ts";

const permissions = "none";

type Tried = Partial<RunningService> & Pick<RunningService, "stats">;
type Told = Partial<Pick<OperateOptions, "hungUp" | "reload">>;

/** Ends a service by as many signals, and gives what is said on stderr. */
async function signal(count: number, service: Tried) {
  return await signals(new Array(count).fill("SIGTERM"), service);
}

/** The same for signals that may be others. */
async function signals(sent: readonly Deno.Signal[], service: Tried, told: Told = {}) {
  const ended = Promise.withResolvers<void>();
  const asked: string[] = [];
  const stderr = new CollectedOutput();
  const handlers = new Map<Deno.Signal, (signal: Deno.Signal) => void>();
  const operated = operate({
    addresses: [],
    finished: ended.promise,
    shutdown: () => (asked.push("drain"), ended.promise),
    close: () => (asked.push("close"), ended.promise),
    ...service,
  }, {
    log: new Log({ stderr, noColor: true }),
    onSignal: (signals, handler) => {
      for (const signal of signals) handlers.set(signal, handler);
    },
    control: false,
    untilStdinEnds: false,
    hungUp: () => false,
    reload: undefined,
    limits: undefined,
    ...told,
  });
  for (const signal of sent) handlers.get(signal)?.(signal);
  ended.resolve();
  await operated;
  return { asked, said: stderr.text };
}

const ZERO = { connections: 0, pending: 0, timers: 0, queuedBytes: 0, timeouts: { idle: 2 }, unsettled: 0 };

Deno.test("operate() prints nothing when every connection has closed cleanly and nothing is left", {
  permissions,
}, async () => {
  const { asked, said } = await signal(1, { stats: () => ZERO });
  assertEquals([asked, said], [["drain"], "SIGTERM: draining; repeat to close immediately\n"]);
});

Deno.test("operate() closes on the second signal and on every later one", { permissions }, async () => {
  const { asked, said } = await signal(3, { stats: () => ZERO });
  assertEquals(asked, ["drain", "close", "close"]);
  assertEquals(said.split("\n").slice(1, -1), [
    "SIGTERM: closing immediately",
    "SIGTERM: closing immediately",
  ]);
});

Deno.test("operate() reloads on SIGHUP, and reports when there is nothing to reload", {
  permissions,
}, async () => {
  const reloaded: Deno.Signal[] = [];
  const reload = (signal: Deno.Signal) => void reloaded.push(signal);
  const reading = await signals(["SIGHUP", "SIGHUP"], { stats: () => ZERO }, { reload });
  assertEquals([reloaded, reading.asked, reading.said], [["SIGHUP", "SIGHUP"], [], ""]);
  const idle = await signals(["SIGHUP"], { stats: () => ZERO });
  assertEquals([idle.asked, idle.said], [[], "SIGHUP: no certificate to reload\n"]);
});

Deno.test("operate() drains once when its terminal hangs up repeatedly", {
  permissions,
}, async () => {
  const reload = () => fail("A terminal that hangs up asks for no reading");
  const told = { hungUp: () => true, reload };
  const { asked, said } = await signals(["SIGHUP", "SIGHUP"], { stats: () => ZERO }, told);
  assertEquals([asked, said], [["drain"], "SIGHUP: draining; repeat to close immediately\n"]);
  const both = await signals(["SIGHUP", "SIGTERM"], { stats: () => ZERO }, told);
  assertEquals(both.asked, ["drain", "close"]);
});

Deno.test("operate() warns about connections that did not close cleanly", { permissions }, async () => {
  const stats = { ...ZERO, timeouts: { drain: 3, idle: 2 }, unsettled: 1 };
  const { said } = await signal(1, { stats: () => stats });
  assertEquals(
    said.split("\n")[1],
    "warning: Not everything ended cleanly: connections cut off at the drain timeout: 3, messages left without an ok: 1",
  );
});

Deno.test("operate() fails when something is left", { permissions }, async () => {
  for (
    const [stats, left] of [[{ ...ZERO, pending: 1, timers: 2 }, "pending 1, timers 2"], [
      { queued: 1 },
      "queued 1",
    ]] as const
  ) {
    const { exitCode } = await assertRejects(
      () => signal(1, { stats: () => stats }),
      ExitError,
      `Ended, but this is left: ${left}`,
    );
    assertEquals(exitCode, 1);
  }
});

Deno.test("operate() checks what is left after draining", { permissions }, async () => {
  let timers = 1;
  await signal(1, {
    shutdown: async () => {
      await new Promise((resolve) => setImmediate(resolve)); // `closed` has settled by then
      timers = 0;
    },
    stats: () => ({ ...ZERO, timers }),
  });
});

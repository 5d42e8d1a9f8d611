import { assert, assertEquals } from "@std/assert";
import { LocalGenerator } from "../../../loadtest/generate/generator.ts";
import type { HistoryEvent, RunEvent } from "../../../loadtest/history/events.ts";
import { Ledger, type LedgerSnapshot } from "../../../loadtest/ledger/ledger.ts";
import { Plan } from "../../../loadtest/plan/plan.ts";
import { parseReplyDelay } from "../../../loadtest/plan/reply_delay.ts";
import type { FaultSpec } from "../../../loadtest/plan/fault_spec.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { pure } from "../../_util/permissions.ts";

const clients = 200;

/** Runs a plan in a world of its own, and returns its ledger. With `onEvent`, what clients do becomes events. */
async function run(
  { onEvent, ...options }: {
    protocol: RunEvent["protocol"];
    faults: FaultSpec;
    onEvent?: (event: HistoryEvent) => void;
  },
): Promise<{ run: RunEvent; ledger: LedgerSnapshot }> {
  const world = new Simulation({ latency: 3 });
  const server = world.relay({ timeouts: { ack: 4000 } });
  const plan = new Plan({
    seed: 3,
    clients,
    window: 2000,
    arrival: "uniform",
    replyDelay: parseReplyDelay("uniform:0s-1s"),
    payload: { type: "mixed" },
    timeout: 3000,
    deadline: 9000,
  });
  const run: RunEvent = {
    event: "run",
    schema: 1,
    seed: 3,
    clients,
    server: "own",
    protocol: options.protocol,
    faults: true,
  };
  const generator = new LocalGenerator({
    run,
    plan,
    faults: options.faults,
    targets: [{ hostname: "127.0.0.1", port: server.port }],
    ...world.seam,
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  const running = generator.run();
  generator.setPace({ paused: false, speed: 2 }); // Clients start at other times than planned.
  const deadline = world.clock.after(plan.deadline, () => generator.stop());
  await world.clock.runUntil(running);
  deadline.cancel();
  await world.clock.runUntil(server.close());
  return { run, ledger: generator.ledger().snapshot() };
}

for (const protocol of ["relay", "echo"] as const) {
  Deno.test(`LocalGenerator keeps the same ledger with events and without (${protocol})`, pure, async () => {
    const faults: FaultSpec = { slice: true, reset: 0.02, dropOk: 0.05, duplicateOk: 0.05 };
    const events: HistoryEvent[] = [];
    const direct = await run({ protocol, faults });
    const recorded = await run({ protocol, faults, onEvent: (event) => void events.push(event) });
    assertEquals(direct.ledger, recorded.ledger);
    const replayed = new Ledger(recorded.run);
    for (const event of events) replayed.record(event);
    assertEquals(replayed.snapshot(), recorded.ledger);
    const kinds = new Set(events.map(({ event }) => event));
    for (const kind of ["planned", "start", "connect", "send", "close", "fault"] as const) {
      assert(kinds.has(kind), kind);
    }
    if (protocol === "relay") {
      for (const kind of ["receive", "answer", "ack"] as const) assert(kinds.has(kind), kind);
    }
  });
}

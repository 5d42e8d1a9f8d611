import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type FaultSpec, formatFaults, parseFaults } from "../../../loadtest/plan/fault_spec.ts";
import { type OkFault, OkFaults } from "../../../loadtest/generate/fault_injection.ts";
import { type Run, simulate } from "../../_util/loadtest/simulated_run.ts";
import { seeded, Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test("parseFaults() reads every fault, and formatFaults() writes it again", { permissions }, () => {
  const all = "reset=1%,stall=0.5%,drop-ok=0.1%,duplicate-ok=100%,slice";
  assertEquals(parseFaults(all), {
    reset: 0.01,
    stall: 0.005,
    dropOk: 0.001,
    duplicateOk: 1,
    slice: true,
  });
  assertEquals(formatFaults(parseFaults(all)), all);
  assertEquals(formatFaults(parseFaults("slice,reset=7%")), "reset=7%,slice");
});

Deno.test("parseFaults() throws when the notation is wrong", { permissions }, () => {
  for (
    const spec of [
      "",
      "slice=1%",
      "reset",
      "reset=1",
      "reset=1%,",
      "reset=1%,reset=2%",
      "slice,slice",
      "toString=1%",
      "stall=-1%",
    ]
  ) {
    assertThrows(() => parseFaults(spec), TypeError, "Cannot use faults");
  }
  for (const spec of ["reset=0%", "drop-ok=100.1%"]) assertThrows(() => parseFaults(spec), RangeError, spec);
});

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (pieces: readonly Uint8Array[]): string => {
  const decoder = new TextDecoder();
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
};

function pass(
  text: string,
  { drop = 0, duplicate = 0, size = text.length }: { drop?: number; duplicate?: number; size?: number },
): { passed: string; faults: OkFault[] } {
  const faults: OkFault[] = [];
  const random = seeded(7);
  const stream = new OkFaults({ drop, duplicate, random, onFault: (fault) => void faults.push(fault) });
  const bytes = bytesOf(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(stream.push(bytes.subarray(at, at + size)));
  return { passed: textOf([...pieces, stream.end()]), faults };
}

Deno.test("OkFaults drops and duplicates only oks", { permissions }, () => {
  const text = "message ok 1\nok é\nokay\nok \nerror ok 2\nok the end";
  assertEquals(pass(text, { drop: 1 }), {
    passed: "message ok 1\nokay\nerror ok 2\nok the end",
    faults: ["drop-ok", "drop-ok"],
  });
  assertEquals(pass(text, { duplicate: 1 }), {
    passed: "message ok 1\nok é\nok é\nokay\nok \nok \nerror ok 2\nok the end",
    faults: ["duplicate-ok", "duplicate-ok"],
  });
});

Deno.test("OkFaults does the same however the bytes are cut", { permissions }, () => {
  const lines = fc.array(fc.constantFrom("ok 1\n", "message ü\n", "ok 🎉\n", "\n", "ok\n"));
  fc.assert(fc.property(lines, fc.integer({ min: 1, max: 9 }), (lines, size) => {
    const options = { drop: 0.3, duplicate: 0.3 };
    const text = lines.join("");
    assertEquals(pass(text, { ...options, size }), pass(text, { ...options, size: 1000 }));
  }));
});

async function runWith(
  faults: FaultSpec,
  plan: { clients?: number } = {},
): Promise<Run & { kinds: ReadonlySet<string> }> {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const run = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    faults,
    plan,
  });
  await world.clock.runUntil(server.close());
  assertEquals([world.network.stats().sockets, world.clock.timers], [0, 0]);
  const kinds = new Set(run.history.flatMap((event) => event.event === "fault" ? [event.kind] : []));
  return { ...run, kinds };
}

Deno.test("runPlan() proves a relay when faults are injected", { permissions }, async () => {
  const { judgement, kinds } = await runWith({ reset: 0.01, stall: 0.01, dropOk: 0.01, duplicateOk: 0.01 });
  assertEquals(kinds, new Set(["reset", "stall", "drop-ok", "duplicate-ok"]));
  assertEquals(judgement.verdict, "proven");
  assert(judgement.counts.reconnects > 0 && judgement.counts.resent > 0);
});

Deno.test(
  "runPlan() proves a relay when every read and write is sliced",
  { permissions },
  async () => {
    const { judgement } = await runWith({ slice: true }, { clients: 500 });
    assertEquals([judgement.verdict, judgement.counts.resent], ["proven", 0]);
  },
);

Deno.test("runPlan() injects the same faults when the seed is the same", { permissions }, async () => {
  const faultsOf = ({ history }: Run) => history.filter(({ event }) => event === "fault");
  const run = async () => faultsOf(await runWith({ dropOk: 0.02 }, { clients: 500 }));
  const [one, other] = [await run(), await run()];
  assert(one.length > 1);
  assertEquals(one, other);
});

/**
 * Soaks a relay process: a million connect-send-reset cycles until it is warm, a million more, then mixed abuse beside
 * honest clients. Afterwards it must be at zero state, and memory must not have grown.
 *
 * Memory rises by half until the collector of V8 takes the garbage, and falls again. Once, at any time in the first
 * 700,000 cycles, it rises by 25 MB, which a warm program needs. So the lowest memory of two later phases is compared: it
 * has what is still in use, and would rise with a leak.
 *
 * `deno task soak`, or for a short one `deno task soak --cycles 100000 --minutes 1`; `--transport epoll` soaks the epoll
 * transport. The task gives the clients here fair I/O, without which some of them wait for ten seconds to be connected.
 * Exits 0 if everything holds.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { FAIR_IO_ENV } from "../../cli/run_program.ts";
import { SpawnedServer } from "../../loadtest/process/spawned_server.ts";
import { residentMemory } from "../../loadtest/process/process_usage.ts";
import { randomStream } from "../../loadtest/plan/seeded_random.ts";
import { TortureRig } from "../../loadtest/torture/rig.ts";
import { torture } from "../../loadtest/torture/torture.ts";
import { respawnCommand } from "../../cli/loadtest/respawn.ts";
import { runRelayClient } from "../../relay/client.ts";

const MIB = 1024 * 1024;
const RSS_BOUND = 1.1;
const ZERO_TIMEOUT = 10_000;
const LOOK_MS = 250;

const { cycles, minutes, scale, transport } = toolArgs({
  command: "deno task soak",
  options: { cycles: 1_000_000, minutes: 5, scale: 0.05, transport: "deno" },
});

/** Everything that went wrong. */
const faults: string[] = [];
const server = await SpawnedServer.start({
  command: respawnCommand("own-server", "--transport", transport),
  env: FAIR_IO_ENV,
  hostnames: ["127.0.0.1"],
});
const target = server.addresses[0]!;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Waits for zero state, and returns the resident memory of the server in MiB. */
async function settled(when: string): Promise<number> {
  const state = await server.untilZero(ZERO_TIMEOUT);
  const { connections, pending, timers, queuedBytes, descriptors } = state ?? {};
  const left = JSON.stringify({ connections, pending, timers, queuedBytes, descriptors });
  if ([connections, pending, timers, queuedBytes, descriptors].some((count) => count !== 0)) {
    faults.push(`${when}: left ${left}`);
  }
  const rss = (residentMemory(server.pid) ?? 0) / MIB;
  say(`${when}: ${rss.toFixed(1)} MiB, left ${left}`);
  return rss;
}

function judge(what: string, { first, last }: { first: number; last: number }): void {
  const ratio = last / first;
  say(
    `${what}: at least ${first.toFixed(1)} MiB at first, and ${last.toFixed(1)} MiB in the end, ` +
      `${ratio.toFixed(3)} times, limit ${RSS_BOUND}`,
  );
  if (ratio > RSS_BOUND) faults.push(`${what}: memory grew to ${ratio.toFixed(3)} times`);
}

/** Returns the lowest resident memory of the server during a phase, in MiB. */
async function lowestDuring(phase: () => Promise<void>): Promise<number> {
  let lowest = Infinity;
  const look = (): void => {
    lowest = Math.min(lowest, (residentMemory(server.pid) ?? Infinity) / MIB);
  };
  const looking = setInterval(look, LOOK_MS);
  try {
    await phase();
  } finally {
    clearInterval(looking);
  }
  look();
  return lowest;
}

async function resetCycles(count: number): Promise<void> {
  using bench = new TortureRig({ target });
  await bench.crowd(count, async (index) => {
    try {
      const peer = await bench.connect();
      await peer.write(index % 3 === 0 ? "message half a li" : `message soak ${index}\n`);
      peer.reset();
    } catch (error) {
      faults.push(`cycle ${index}: ${error}`);
    }
  });
}

/** Runs honest clients one after another until `over`, and returns their number. */
async function honest(name: string, over: () => boolean): Promise<number> {
  let count = 0;
  for (; !over(); count++) {
    const text = `honest ${name} ${count}`;
    const { acknowledged } = await runRelayClient({ ...target, text, timeouts: { ack: 20_000 } });
    if (!acknowledged) faults.push(`${text} got no ok`);
  }
  return count;
}

/** Repeats a small torture suite until `over`, and returns the number of cases. */
async function hostile(over: () => boolean): Promise<number> {
  let cases = 0;
  for (let round = 0; !over(); round++) {
    for await (const { name, fault } of torture({ target, scale, random: randomStream(round, "fault") })) {
      cases++;
      // With other peers connected, a relay does not answer these the same way each time.
      const compares = name.startsWith("split") || name.startsWith("CR");
      if (fault !== undefined && !compares) faults.push(`round ${round}, ${name}: ${fault}`);
      if (over()) break;
    }
  }
  return cases;
}

async function abuse(ms: number): Promise<void> {
  const end = performance.now() + ms;
  const over = () => performance.now() >= end;
  const [cases, ...clients] = await Promise.all([
    hostile(over),
    honest("one", over),
    honest("two", over),
    honest("three", over),
  ]);
  say(`${cases} torture cases beside ${clients.reduce((sum, count) => sum + count)} honest clients`);
}

const half = Math.ceil(cycles / 2);
say(`${2 * cycles} connect-send-reset cycles`);
const start = performance.now();
await resetCycles(2 * cycles - 2 * half);
await settled("after the first half of the cycles");
const lowestCycles = {
  first: await lowestDuring(() => resetCycles(half)),
  last: await lowestDuring(() => resetCycles(half)),
};
say(`${(2 * cycles / (performance.now() - start) * 1000).toFixed(0)} cycles per second`);
await settled("after the cycles");
judge("cycles", lowestCycles);

say(`${minutes} minutes of mixed abuse`);
await abuse(minutes * 6000);
await settled("after a tenth of the abuse");
const firstLow = await lowestDuring(() => abuse(minutes * 12_000));
await abuse(minutes * 30_000);
const lastLow = await lowestDuring(() => abuse(minutes * 12_000));
await settled("after the abuse");
judge("abuse", { first: firstLow, last: lastLow });

const { code } = await server.stop();
if (code !== 0) faults.push(`the server ended with exit code ${code}`);
for (const fault of faults.slice(0, 20)) say(`FAULT ${fault}`);
say(faults.length === 0 ? "held" : `${faults.length} faults`);
Deno.exit(faults.length === 0 ? 0 : 1);

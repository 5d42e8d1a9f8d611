/**
 * Measures the capacity of one load generator process: clients started per second and core, oks handled per second and
 * core, and memory per connected client. Run by
 * `deno task bench:generator [CLIENTS] [--window 2s] [--transport epoll]`.
 *
 * All clients of a round start within the window and hold each other's messages for some seconds, so that the phases do
 * not overlap: starts, waiting, oks. The CPU time of each phase gives the capacity of a core, whatever else the machine does.
 *
 * The first round is that of a process that has just started, as in a short load test: the runtime compiles its code. It
 * does so in the next ones, too, which do not count. The median of those that follow is the capacity in a long load test.
 * After each of them, a program in C runs the same clients with the fewest system calls that they need: what the kernel
 * alone takes bounds every generator.
 *
 * A process that sleeps between clients pays for each wake-up. A shorter window, such as 700 ms for 10,000 clients, loads
 * the core and shares them among more clients, and one of 100 ms is more than a core can do.
 *
 * @module
 */
import { memoryUsage } from "node:process";
import { delay } from "@std/async/delay";
import { hasFairIo } from "../../cli/run_program.ts";
import { parseDuration } from "../../internal/duration.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { LocalGenerator, ownUsage } from "../../loadtest/generate/generator.ts";
import { median } from "../../loadtest/metrics/statistics.ts";
import { SpawnedServer } from "../../loadtest/process/spawned_server.ts";
import { Plan } from "../../loadtest/plan/plan.ts";
import { PART_NAMES, respawnCommand } from "../../cli/loadtest/respawn.ts";
import { parseTransport, transportArguments, transportNetwork } from "../../cli/shared/transport_option.ts";
import { systemClock, systemRandom } from "../../socket/mod.ts";
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { buildC, missingPrograms, resultsOf } from "../peers/peer.ts";

const args = toolArgs({
  command: "deno task bench:generator",
  options: { window: "2s", transport: "deno" },
  words: { clients: 10_000 },
});
const CLIENTS = args.clients;
const WINDOW_MS = parseDuration(args.window);
const transport = parseTransport(["--transport", args.transport]);
/** Clients hold messages for the window and this, until all have long been open. */
const HELD_LONGER_MS = 4000;
const HOLD_MS = WINDOW_MS + HELD_LONGER_MS;
const LOOK_MS = 20;
/** The last messages arrive within this time after the last client has connected. */
const SETTLE_MS = 100;
/** The look before the oks comes this long before the first of them. */
const BEFORE_OKS_MS = 200;
/** Rounds after the first one that do not count: in the second and third, a client takes up to a half more CPU time. */
const WARM_UPS = 4;
const ROUNDS = 5;
const HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

if (!hasFairIo()) throw new TypeError("Cannot measure: run this with `deno task bench:generator`");

const server = await SpawnedServer.start({
  command: [
    ...respawnCommand(PART_NAMES.server, "relay"),
    "--ack-timeout",
    "60s",
    ...transportArguments(transport),
  ],
  hostnames: HOSTS,
});
const network = await transportNetwork(transport);

/** CPU time in seconds of all clients in one round. */
interface Round {
  readonly starts: number;
  readonly oks: number;
}

/** A round of our own. */
interface OwnRound extends Round {
  /** Growth of the memory until all clients were open, in bytes. */
  readonly memory: number;
}

interface Look {
  readonly cpuSeconds: number;
  readonly memory: number;
}

function look(): Look {
  return { cpuSeconds: ownUsage().cpuSeconds ?? NaN, memory: memoryUsage().rss };
}

async function measureRound(seed: number): Promise<OwnRound> {
  const plan = new Plan({
    seed,
    clients: CLIENTS,
    window: WINDOW_MS,
    arrival: "uniform",
    replyDelay: { type: "fixed", delay: HOLD_MS },
    payload: { type: "short" },
  });
  const generator = new LocalGenerator({
    run: {
      event: "run",
      schema: 1,
      seed,
      clients: CLIENTS,
      protocol: "relay",
      server: "own",
      faults: false,
    },
    plan,
    targets: server.addresses,
    network,
    clock: systemClock,
    random: systemRandom,
  });
  const atFirst = look();
  const begin = performance.now();
  const running = generator.run();
  while (generator.progress.open < CLIENTS) await delay(LOOK_MS);
  await delay(SETTLE_MS);
  const allOpen = look();
  await delay(begin + HOLD_MS - BEFORE_OKS_MS - performance.now());
  const beforeOks = look();
  if (generator.progress.acknowledged > 0) {
    throw new RangeError(`Cannot measure: the oks began before all ${CLIENTS} clients were open`);
  }
  await running;
  const atLast = look();
  const acked = generator.progress.acknowledged;
  if (acked !== CLIENTS) {
    throw new Error(`Only ${acked} of ${CLIENTS} clients got their ok: the result is void`);
  }
  return {
    starts: allOpen.cpuSeconds - atFirst.cpuSeconds,
    oks: atLast.cpuSeconds - beforeOks.cpuSeconds,
    memory: allOpen.memory - atFirst.memory,
  };
}

/** Builds the clients in C, and returns what runs them for a round; `undefined` without a compiler. */
async function clientsInC(folder: string): Promise<(() => Promise<Round>) | undefined> {
  if ((await missingPrograms(["cc"])).length > 0 || Deno.build.os !== "linux") return undefined;
  const program = await buildC("relay_clients", folder);
  const { port } = server.addresses[0]!;
  return async () => {
    const options = [port, HOSTS.length, CLIENTS, WINDOW_MS, HOLD_MS].map(String);
    const { starts = NaN, oks = NaN } = await resultsOf(program, options);
    return { starts, oks };
  };
}

/** Measures all rounds; without a compiler, no round in C. */
async function measureAll(): Promise<{ first: OwnRound; own: Round[]; inC: Round[] }> {
  await using temp = new TempDir();
  const runC = await clientsInC(temp.path);
  let seed = 1;
  const first = await measureRound(seed);
  for (let round = 0; round < WARM_UPS; round++) await measureRound(++seed);
  const own: Round[] = [];
  const inC: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await measureRound(++seed));
    if (runC !== undefined) inC.push(await runC());
  }
  return { first, own, inC };
}

const { first, own, inC } = await measureAll();
await server.stop();

const row = (what: string, secondsOf: (round: Round) => number): string[] => {
  const perSecond = (seconds: number): string => Math.round(CLIENTS / seconds).toLocaleString("en");
  const medianOf = (rounds: readonly Round[]): number => median(rounds.map(secondsOf)) ?? NaN;
  const ours = [perSecond(secondsOf(first)), perSecond(medianOf(own))];
  if (inC.length === 0) return [what, ...ours];
  // Round by round, as other load on the machine comes and goes.
  const ratio = median(own.map((round, at) => secondsOf(inC[at]!) / secondsOf(round))) ?? NaN;
  return [what, ...ours, perSecond(medianOf(inC)), ratio.toFixed(2)];
};
const bound = inC.length === 0 ? [] : ["in C", "ours ÷ C"];
writeLine(
  Deno.stdout,
  formatTable({
    head: [
      `generator, ${CLIENTS} clients, per core`,
      "first round",
      `median of ${own.length} later ones`,
      ...bound,
    ],
    rows: [
      row("starts per second: connect, send, receive a message", ({ starts }) => starts),
      row("oks per second: answer, receive the ok, close", ({ oks }) => oks),
      row("whole clients per second", ({ starts, oks }) => starts + oks),
      [
        "memory per open client",
        `${(first.memory / CLIENTS / 1024).toFixed(1)} KiB`,
        ...bound.map(() => ""),
        "",
      ],
    ],
  }),
);
Deno.exit();

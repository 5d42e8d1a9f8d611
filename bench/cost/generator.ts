/**
 * Measures the capacity of one load generator process: clients started per second and core, oks handled per second and
 * core, and memory per connected client. Run by
 * `deno task bench:generator [CLIENTS] [--window 2s] [--transport epoll]`.
 *
 * All clients of a round start within the window and hold each other's messages for some seconds, so that the phases do
 * not overlap: starts, waiting, oks. The CPU time of each phase gives the capacity of a core, whatever else the machine does.
 *
 * The first round is that of a process that has just started, as in a short load test: the runtime compiles its code. The
 * median of the rounds after it, in the same process, is the capacity in a long one.
 *
 * A process that sleeps between clients pays for each wake-up. A shorter window, such as 700 ms for 10,000 clients, loads
 * the core and shares them among more clients.
 *
 * @module
 */
import { memoryUsage } from "node:process";
import { parseArgs } from "@std/cli/parse-args";
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

const args = parseArgs(Deno.args, { string: ["window", "transport"] });
const CLIENTS = Number(args._[0] ?? 10_000);
const WINDOW_MS = parseDuration(String(args["window"] ?? "2s"));
const transport = parseTransport(["--transport", String(args["transport"] ?? "deno")]);
const HOLD_MS = 8000;
const LOOK_MS = 200;
const ROUNDS = 4;

if (!hasFairIo()) throw new TypeError("Cannot measure: run this with `deno task bench:generator`");

const server = await SpawnedServer.start({
  command: [
    ...respawnCommand(PART_NAMES.server, "relay"),
    "--ack-timeout",
    "60s",
    ...transportArguments(transport),
  ],
  hostnames: ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"],
});
const network = await transportNetwork(transport);

/** The cost of a client in one round. */
interface Round {
  /** CPU time in seconds for all clients. */
  readonly starts: number;
  readonly oks: number;
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

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

async function measureRound(seed: number): Promise<Round> {
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
  const running = generator.run();
  await until(() => generator.progress.open === CLIENTS);
  const allOpen = look();
  await until(() => generator.progress.acknowledged > 0);
  const beforeOks = look();
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

const rounds: Round[] = [];
for (let round = 1; round <= ROUNDS; round++) rounds.push(await measureRound(round));
await server.stop();

const [first, ...later] = rounds;
const perSecond = (seconds: number): string => Math.round(CLIENTS / seconds).toLocaleString("en");
const row = (what: string, secondsOf: (round: Round) => number): string[] => [
  what,
  perSecond(secondsOf(first!)),
  perSecond(median(later.map(secondsOf)) ?? NaN),
];
writeLine(
  Deno.stdout,
  formatTable({
    head: [`generator, ${CLIENTS} clients, per core`, "first round", `median of ${later.length} more`],
    rows: [
      row("starts per second: connect, send, receive a message", ({ starts }) => starts),
      row("oks per second: answer, receive the ok, close", ({ oks }) => oks),
      row("whole clients per second", ({ starts, oks }) => starts + oks),
      ["memory per open client", `${(first!.memory / CLIENTS / 1024).toFixed(1)} KiB`, ""],
    ],
  }),
);
Deno.exit();

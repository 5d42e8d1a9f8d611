/**
 * Measures what peers that never read cost the others: round trips of polite peers at a line echo server, first alone,
 * then beside peers that send constantly and read the echoes, then beside peers that send the same and never read.
 *
 * `deno task slow-readers [--rate KIB] [--seconds N] [--rounds N]`. All peers run in `peers/traffic.go`, because a
 * program that measures pauses must not have any. Exits 0 if the slow readers are cut off, and if the others' p99 (median
 * of the rounds) is within a tenth or a millisecond of p99 without them.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { FAIR_IO_ENV, HEAP_FLAG } from "../../cli/run_program.ts";
import { ChildProcess } from "../../loadtest/process/child_process.ts";
import { listen } from "../../socket/listen.ts";
import { buildGo, missingPrograms, resultsOf } from "../peers/peer.ts";

const WRITE_BUFFER = 256 * 1024;
const POLITE = 1980;
const OTHERS = 20;
const BOUND = 1.1;
const BOUND_MS = 1;

type Others = "none" | "quick" | "slow";

interface Measurement {
  readonly p50: number;
  readonly p99: number;
  readonly trips: number;
  readonly cutOff: number;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Echoes every line, and does not wait for slow readers. */
async function serve(): Promise<void> {
  const server = listen({ limits: { writeBuffer: WRITE_BUFFER } });
  const served = server.serve((peer) =>
    peer.consume((lines) => {
      for (const line of lines) peer.send(line);
    })
  );
  say(JSON.stringify({ event: "listening", port: server.port }));
  for await (const _ of Deno.stdin.readable) {
    say(JSON.stringify({ event: "state", cutOff: server.stats().closed["slow-reader"] }));
  }
  await server.close();
  await served;
}

async function measure(traffic: string, others: Others, { rate, seconds }: Options): Promise<Measurement> {
  let heard = Promise.withResolvers<Record<string, unknown>>();
  const server = new ChildProcess({
    command: [Deno.execPath(), "run", "-A", HEAP_FLAG, new URL(import.meta.url).pathname, "serve"],
    env: FAIR_IO_ENV,
    onMessage: (line) => heard.resolve(line),
  });
  const address = `127.0.0.1:${(await heard.promise).port}`;
  const pouring = others === "none"
    ? undefined
    : new ChildProcess({ command: [traffic, others, address, `${OTHERS}`, `${rate}`], onMessage: () => {} });
  const { p50, p99, count } = await resultsOf(traffic, ["polite", address, `${POLITE}`, `${seconds}`]);
  heard = Promise.withResolvers();
  await server.send("state");
  const cutOff = Number((await heard.promise).cutOff);
  pouring?.kill("SIGKILL");
  await pouring?.ended;
  server.kill("SIGKILL");
  await server.ended;
  return { p50: p50! / 1000, p99: p99! / 1000, trips: count!, cutOff };
}

interface Options {
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
}

function readOptions(): Options {
  const { rate, seconds, rounds } = toolArgs({
    command: "deno task slow-readers",
    options: { rate: 160, seconds: 20, rounds: 3 },
  });
  // The traffic program sends a tenth of the rate at a time, and at least one line of 1 KiB.
  return {
    rate: integerOf("--rate", rate, 10),
    seconds: integerOf("--seconds", seconds, 1),
    rounds: integerOf("--rounds", rounds, 1),
  };
}

function integerOf(name: string, value: number, min: number): number {
  if (Number.isInteger(value) && value >= min) return value;
  say(`Cannot use ${name} ${value}: expected an integer of at least ${min}`);
  Deno.exit(2);
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function main(options: Options): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    const traffic = await buildGo("traffic", folder);
    const p99s: Record<Others, number[]> = { none: [], quick: [], slow: [] };
    let cutOff = Infinity;
    for (let round = 0; round < options.rounds; round++) {
      for (const others of ["none", "quick", "slow"] as const) {
        const results = await measure(traffic, others, options);
        p99s[others].push(results.p99);
        if (others === "slow") cutOff = Math.min(cutOff, results.cutOff);
        say(
          `${others.padEnd(5)}: p50 ${results.p50.toFixed(2)} ms, p99 ${results.p99.toFixed(2)} ms, ` +
            `${results.trips} round trips, ${results.cutOff} cut off`,
        );
      }
    }
    const [none, quick, slow] = [median(p99s.none), median(p99s.quick), median(p99s.slow)];
    say(
      `p99 beside ${OTHERS} that send ${options.rate} KiB/s and never read: ${slow.toFixed(2)} ms, ` +
        `× ${(slow / none).toFixed(2)} of ${none.toFixed(2)} ms without them, ` +
        `× ${(slow / quick).toFixed(2)} of ${quick.toFixed(2)} ms beside peers that read`,
    );
    return cutOff > 0 && (slow < none * BOUND || slow - none < BOUND_MS);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (Deno.args[0] === "serve") {
  await serve();
} else {
  const options = readOptions();
  if ((await missingPrograms(["go"])).length > 0) {
    say("Cannot run the peers: Go is not installed");
    Deno.exit(1);
  }
  Deno.exit(await main(options) ? 0 : 1);
}

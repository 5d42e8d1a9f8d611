/**
 * What peers that never read cost the others: round trips of polite peers at a server that echoes lines, alone, beside
 * peers that send on and on and read what comes back, and beside as many that send the same and never read.
 *
 * `deno task slow-readers [--rate KIB] [--seconds N] [--rounds N]`; all peers are of `peers/traffic.go`, which needs Go:
 * what measures pauses must have none of its own. Exit 0 when the slow ones are cut off and the others' 99th percentile, of
 * the rounds' median, is within a tenth or a millisecond of what it is without them.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { ChildProcess } from "../loadtest/process/child_process.ts";
import { listen } from "../socket/listener.ts";
import { buildGo, figuresOf, missingPrograms } from "./peer.ts";

// As the server program has it.
const HEAP = "--v8-flags=--max-semi-space-size=4";
const WRITE_BUFFER = 256 * 1024;
const POLITE = 1980;
const OTHERS = 20;
const BOUND = 1.1;
const BOUND_MS = 1;

type Others = "none" | "quick" | "slow";

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly trips: number;
  readonly cutOff: number;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Sends every line back, and does not wait for who does not read. */
async function serve(): Promise<void> {
  const server = listen({ writeBuffer: WRITE_BUFFER });
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

async function measure(traffic: string, others: Others, { rate, seconds }: Options): Promise<Figures> {
  let heard = Promise.withResolvers<Record<string, unknown>>();
  const server = new ChildProcess({
    command: [Deno.execPath(), "run", "-A", HEAP, new URL(import.meta.url).pathname, "serve"],
    env: { [CURE_VARIABLE]: CURE_VALUE },
    onLine: (line) => heard.resolve(line),
  });
  const address = `127.0.0.1:${(await heard.promise).port}`;
  const pouring = others === "none"
    ? undefined
    : new ChildProcess({ command: [traffic, others, address, `${OTHERS}`, `${rate}`], onLine: () => {} });
  const { p50, p99, count } = await figuresOf(traffic, ["polite", address, `${POLITE}`, `${seconds}`]);
  heard = Promise.withResolvers();
  await server.say("state");
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

function optionsOf(args: readonly string[]): Options {
  const { rate, seconds, rounds } = parseArgs([...args], { string: ["rate", "seconds", "rounds"] });
  // A tenth of the rate goes out at once, and not less than a line of 1 KiB.
  return {
    rate: integerOf("--rate", rate ?? 160, 10),
    seconds: integerOf("--seconds", seconds ?? 20, 1),
    rounds: integerOf("--rounds", rounds ?? 3, 1),
  };
}

function integerOf(name: string, text: unknown, min: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min) return value;
  say(`Option ${name} is not an integer of at least ${min}: ${JSON.stringify(text)}`);
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
        const figures = await measure(traffic, others, options);
        p99s[others].push(figures.p99);
        if (others === "slow") cutOff = Math.min(cutOff, figures.cutOff);
        say(
          `${others.padEnd(5)}: p50 ${figures.p50.toFixed(2)} ms, p99 ${figures.p99.toFixed(2)} ms, ` +
            `${figures.trips} round trips, ${figures.cutOff} cut off`,
        );
      }
    }
    const [none, quick, slow] = [median(p99s.none), median(p99s.quick), median(p99s.slow)];
    say(
      `p99 beside ${OTHERS} that send ${options.rate} KiB a second and never read: ${slow.toFixed(2)} ms, ` +
        `× ${(slow / none).toFixed(2)} of ${none.toFixed(2)} ms without them, ` +
        `× ${(slow / quick).toFixed(2)} of ${quick.toFixed(2)} ms beside such that read`,
    );
    return cutOff > 0 && (slow < none * BOUND || slow - none < BOUND_MS);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (Deno.args[0] === "serve") {
  await serve();
} else if ((await missingPrograms(["go"])).length > 0) {
  say("Go is needed for the peers, and is not installed");
  Deno.exit(1);
} else {
  Deno.exit(await main(optionsOf(Deno.args)) ? 0 : 1);
}

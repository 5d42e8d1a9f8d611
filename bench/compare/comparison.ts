/** Compares servers in one run: the same traffic to each in turn, round by round. @module */
import { writeLine } from "../../cli/terminal/write.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { denoRun } from "../../tests/_util/programs/program.ts";
import { Peer, resultsOf } from "../peers/peer.ts";

/** Servers to compare, and the traffic for them. Ours is the last of `servers`. */
export interface Comparison {
  readonly title: string;
  /** Name of what is counted, such as `line`. */
  readonly unit: string;
  readonly servers: Readonly<Record<string, () => Promise<Peer>>>;
  /** Path of the program that makes the traffic. It prints seconds, units, and percentiles in µs as JSON. */
  readonly traffic: string;
  readonly args: (to: Peer) => readonly string[];
  readonly rounds?: number;
}

interface Round {
  readonly seconds: number;
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly cpuSeconds: number;
}

const ROUNDS = 5;

/** Measures, and prints the medians of all rounds as a table, or with `--json` as one JSON line per server. */
export async function compare(comparison: Comparison): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const measured: { readonly name: string; readonly peer: Peer; readonly rounds: Round[] }[] = [];
  for (const [name, start] of Object.entries(comparison.servers)) {
    measured.push({ name, peer: stack.use(await start()), rounds: [] });
  }
  // Alternating, so that other load on the machine affects all of them.
  for (let round = 0; round < (comparison.rounds ?? ROUNDS); round++) {
    for (const { peer, rounds } of measured) {
      const before = peer.cpuSeconds();
      const { seconds = NaN, count = NaN, ...percentiles } = await resultsOf(
        comparison.traffic,
        comparison.args(peer),
      );
      rounds.push({ seconds, count, ...percentiles, cpuSeconds: peer.cpuSeconds() - before });
    }
  }
  print(comparison, measured.map(({ name, rounds }) => ({ name, ...medians(rounds) })));
}

/** Starts a service of `server.ts` on a free port, without log lines about peers. */
function startOurs(service: string, ...options: readonly string[]): Promise<Peer> {
  const [deno, ...args] = denoRun("server.ts", [service, "--port", "0", "--host", "127.0.0.1", "--json"]);
  return Peer.start(deno, [...args, "--quiet", ...options]);
}

/** Starts a service of `server.ts` on Deno's sockets, and on Linux another on epoll. */
export function startBoth(
  service: string,
  ...options: readonly string[]
): Readonly<Record<string, () => Promise<Peer>>> {
  const both = { "server.ts": () => startOurs(service, ...options) };
  if (Deno.build.os !== "linux") return both;
  return { ...both, "server.ts, epoll": () => startOurs(service, ...options, "--transport", "epoll") };
}

interface Result {
  readonly name: string;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
}

function medians(rounds: readonly Round[]): Omit<Result, "name"> {
  return {
    perSecond: Math.round(median(rounds.map(({ count, seconds }) => count / seconds))),
    cpuMicroseconds: Number(
      median(rounds.map(({ cpuSeconds, count }) => cpuSeconds * 1e6 / count)).toFixed(1),
    ),
    p50: median(rounds.map(({ p50 = NaN }) => p50)),
    p99: median(rounds.map(({ p99 = NaN }) => p99)),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function print({ title, unit }: Comparison, results: readonly Result[]): void {
  if (Deno.args.includes("--json")) {
    for (const result of results) writeLine(Deno.stdout, JSON.stringify({ bench: title, unit, ...result }));
    return;
  }
  const ours = results.at(-1)!;
  const rows = results.map(({ name, perSecond, cpuMicroseconds, p50, p99 }) => [
    name,
    perSecond,
    cpuMicroseconds,
    Number.isNaN(p50) ? "" : `${p50} / ${p99}`,
    (ours.perSecond / perSecond).toFixed(2),
  ]);
  const head = [title, `${unit}s/s`, `CPU µs/${unit}`, "p50 / p99 µs", `${ours.name} ÷ this`];
  writeLine(Deno.stdout, formatTable({ head, rows }));
}

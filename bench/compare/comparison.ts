/** Compares servers in one run: the same traffic to each in turn, round by round. @module */
import { writeLine } from "../../cli/terminal/write.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { denoRun } from "../../tests/_util/programs/program.ts";
import { Peer, type PeerOptions, resultsOf } from "../peers/peer.ts";

/** Servers to compare, and the traffic for them. */
export interface Comparison {
  readonly title: string;
  /** Name of what is counted, such as `line`. */
  readonly unit: string;
  readonly servers: Readonly<Record<string, () => Promise<Peer>>>;
  /** The server whose throughput is divided by that of each. Default: the last. */
  readonly ours?: string;
  /** Path of the program that makes the traffic. It prints seconds, units, and percentiles in µs as JSON. */
  readonly traffic: string;
  readonly args: (to: Peer) => readonly string[];
  /** Whether to print JSON lines. */
  readonly json: boolean;
  /** Rounds that count. Default 5. */
  readonly rounds?: number;
  /** Rounds before those, which do not count. Default 1. */
  readonly warmUps?: number;
}

interface Round {
  readonly seconds: number;
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly cpuSeconds: number;
}

const ROUNDS = 5;

/**
 * Measures, and prints the medians of all rounds as a table, or with `json` as one JSON line per server. Each server gets
 * the traffic of some rounds first, so that it is compiled and its memory is there.
 *
 * Rounds alternate between the servers, so that other load on the machine affects all of them; and every second one goes
 * through them backward, because a server still works on the end of its round in that of the next one.
 */
export async function compare(comparison: Comparison): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const measured: { readonly name: string; readonly peer: Peer; readonly rounds: Round[] }[] = [];
  for (const [name, start] of Object.entries(comparison.servers)) {
    measured.push({ name, peer: stack.use(await start()), rounds: [] });
  }
  const { rounds: counted = ROUNDS, warmUps = 1 } = comparison;
  for (let round = -warmUps; round < counted; round++) {
    for (const { peer, rounds } of round % 2 === 0 ? measured : measured.toReversed()) {
      const result = await measure(comparison, peer);
      if (round >= 0) rounds.push(result);
    }
  }
  const ours = measured.find(({ name }) => name === comparison.ours) ?? measured.at(-1)!;
  const results = measured.map(({ name, rounds }) => ({ name, ...medians(rounds, ours.rounds) }));
  print(comparison, ours.name, results);
}

async function measure({ traffic, args }: Comparison, peer: Peer): Promise<Round> {
  const before = peer.cpuSeconds();
  const { seconds = NaN, count = NaN, ...percentiles } = await resultsOf(traffic, args(peer));
  return { seconds, count, ...percentiles, cpuSeconds: peer.cpuSeconds() - before };
}

/** Starts a service of `server.ts` on a free port, without log lines about peers. */
export function startOurs(
  service: string,
  options: readonly string[],
  peer: PeerOptions = {},
): Promise<Peer> {
  const [deno, ...args] = denoRun("server.ts", [service, "--port", "0", "--host", "127.0.0.1", "--json"]);
  return Peer.start(deno, [...args, "--quiet", ...options], peer);
}

/** Starts a service of `server.ts` on Deno's sockets, and on Linux another on epoll. */
export function startBoth(
  service: string,
  ...options: readonly string[]
): Readonly<Record<string, () => Promise<Peer>>> {
  const both = { "server.ts": () => startOurs(service, options) };
  if (Deno.build.os !== "linux") return both;
  return { ...both, "server.ts, epoll": () => startOurs(service, [...options, "--transport", "epoll"]) };
}

interface Result {
  readonly name: string;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
  /** Our throughput divided by that of this server. */
  readonly ratio: number;
}

function medians(rounds: readonly Round[], ours: readonly Round[]): Omit<Result, "name"> {
  return {
    perSecond: Math.round(median(rounds.map(perSecond))),
    cpuMicroseconds: Number(
      median(rounds.map(({ cpuSeconds, count }) => cpuSeconds * 1e6 / count)).toPrecision(2),
    ),
    p50: median(rounds.map(({ p50 = NaN }) => p50)),
    p99: median(rounds.map(({ p99 = NaN }) => p99)),
    // Round by round, as other load on the machine comes and goes.
    ratio: Number(median(rounds.map((round, at) => perSecond(ours[at]!) / perSecond(round))).toFixed(2)),
  };
}

function perSecond({ count, seconds }: Round): number {
  return count / seconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function print({ title, unit, json }: Comparison, ours: string, results: readonly Result[]): void {
  if (json) {
    for (const result of results) writeLine(Deno.stdout, JSON.stringify({ bench: title, unit, ...result }));
    return;
  }
  const rows = results.map(({ name, perSecond, cpuMicroseconds, p50, p99, ratio }) => [
    name,
    perSecond,
    cpuMicroseconds,
    Number.isNaN(p50) ? "" : `${p50} / ${p99}`,
    ratio.toFixed(2),
  ]);
  const head = [title, `${unit}s/s`, `CPU µs/${unit}`, "p50 / p99 µs", `${ours} ÷ this`];
  writeLine(Deno.stdout, formatTable({ head, rows }));
}

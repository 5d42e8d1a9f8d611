/**
 * The CPU time that a message costs when its receiver is at another node: `deno task bench:crossing`.
 *
 * Two relays, each with its own load, are separate, connected by the local bus, or connected over NATS. These three take
 * turns, for `--rounds 5`. Half of the messages of a cluster cross. So a crossing costs twice the difference between a message
 * at connected relays and one at separate relays.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { Log } from "../../cli/terminal/log.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { NatsServer } from "../../tests/_util/programs/nats_server.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { buildGo, cpuSecondsOf, missingPrograms, type Peer } from "../peers/peer.ts";
import { quartiles, relayWindows, startRelay } from "./relay_windows.ts";

const LOADS = { "100 × 16": [100, 16], "1,000 × 1": [1000, 1] } as const;
const WINDOW = { pause: 0, seconds: 2, windows: 2 };
const CROSSING_SHARE = 1 / 2;

/** CPU time per ok in µs: of the relay, and of the NATS server. */
interface Cost {
  readonly relay: number;
  readonly nats: number;
}

const { rounds } = toolArgs({ command: "deno task bench:crossing", options: { rounds: 5 } });
const missing = await missingPrograms(["go", "nats-server"]);
if (missing.length > 0) {
  new Log().warn(`Skipped: ${missing.join(" and ")} not installed`);
  Deno.exit(0);
}

await using stack = new AsyncDisposableStack();
const temp = stack.use(new TempDir());
const program = await buildGo("relay_load", temp.path);
const nats = stack.use(await NatsServer.start());
const folder = stack.use(new TempDir());
const start = async (...cluster: readonly string[]): Promise<Peer> =>
  stack.use(await startRelay(["--quiet", "--transport", "epoll", ...cluster]));
const startTwo = async (...cluster: readonly string[]) => [await start(...cluster), await start(...cluster)];
const relays: Readonly<Record<string, readonly Peer[]>> = {
  apart: await startTwo(),
  local: await startTwo("--cluster", `unix:${folder.path}`),
  nats: await startTwo("--cluster", nats.url),
};

/** Puts half of a load on each relay for some windows, and returns the cost in each of them but the first. */
async function measure(
  to: readonly Peer[],
  [connections, inFlight]: readonly [number, number],
): Promise<Cost[]> {
  const share = connections / to.length;
  const load = { connections: share, senders: share, inFlight, ...WINDOW };
  const parts = await Promise.all(to.map(async (relay) => {
    const windows: { readonly count: number; readonly cpu: number; readonly nats: number }[] = [];
    for await (const { count, cpu } of relayWindows(program, relay, load)) {
      windows.push({ count, cpu, nats: cpuSecondsOf(nats.pid) });
    }
    return windows;
  }));
  return parts[0]!.slice(1).map(({ nats }, index) => {
    const same = parts.map((windows) => windows[index + 1]!);
    const count = same.reduce((sum, one) => sum + one.count, 0);
    return {
      relay: same.reduce((sum, one) => sum + one.cpu * one.count, 0) / count,
      nats: (nats - parts[0]![index]!.nats) * 1e6 / count,
    };
  });
}

const rows: string[][] = [];
for (const [name, load] of Object.entries(LOADS)) {
  const costs: Record<string, Cost[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [kind, to] of Object.entries(relays)) (costs[kind] ??= []).push(...await measure(to, load));
  }
  const per = (kind: string, of: (cost: Cost, round: number) => number): string => {
    const { low, median, high } = quartiles(costs[kind]!.map(of));
    return `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  };
  const crossing = (kind: string): string =>
    per(kind, ({ relay }, round) => (relay - costs.apart![round]!.relay) / CROSSING_SHARE);
  rows.push([
    name,
    per("apart", ({ relay }) => relay),
    crossing("local"),
    crossing("nats"),
    per("nats", (cost) => cost.nats / CROSSING_SHARE),
  ]);
}
writeLine(
  Deno.stdout,
  formatTable({
    head: [
      "CPU µs",
      "per ok, apart",
      "per crossing, local bus",
      "per crossing, NATS",
      "the NATS server itself",
    ],
    rows,
  }),
);

/**
 * Compares the proxy with socat and HAProxy in one run: one stream of 1 GiB, and 4,000 connections with one request
 * each, sequential and 100 at a time. Run by `deno task bench:proxy`; pass a size for a shorter stream.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { Log } from "../../cli/terminal/log.ts";
import { formatSize, parseSize } from "../../internal/size.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { compare, startBoth } from "./comparison.ts";
import { buildGo, missingPrograms, Peer } from "../peers/peer.ts";

const { json, size } = toolArgs({
  command: "deno task bench:proxy",
  options: { json: false },
  words: { size: "1GiB" },
});
const SIZE = parseSize(size);
const SHORT = 4000;
// The runtime compiles the proxy while it runs: in its first 10,000 connections, one takes up to a quarter more CPU time.
const SHORT_WARM_UPS = 5;
// These rounds take a third of a second, in which other load on the machine may change each by a fifth.
const ROUNDS_AT_ONCE = 15;

const log = new Log();
const missing = await missingPrograms(["go", "socat", "haproxy"]);
if (missing.includes("go")) {
  log.warn("Skipped: the traffic program needs Go, which is not installed");
  Deno.exit(0);
}
for (const name of missing) log.warn(`Leaving out ${name}: not installed`);

await using temp = new TempDir();
const traffic = await buildGo("traffic", temp.path);

/** HAProxy's defaults with our backlog: one thread per core, unless `threads` has a setting. */
const HAPROXY = (port: number, backend: number, threads: string): string => `
global
  maxconn 4000
  ${threads}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen proxy
  bind 127.0.0.1:${port} backlog 4096
  server backend 127.0.0.1:${backend}
`;

function startSocat(backend: Peer): Promise<Peer> {
  return Peer.startAt("socat", (port) => [
    `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,backlog=4096`,
    `TCP:${backend.address}`,
  ]);
}

function startHaproxy(backend: Peer, threads = ""): Promise<Peer> {
  return Peer.startAt("haproxy", (port) => {
    const file = `${temp.path}/haproxy-${port}.cfg`;
    Deno.writeTextFileSync(file, HAPROXY(port, backend.port, threads));
    return ["-db", "-q", "-f", file];
  });
}

async function compareProxies(options: {
  readonly title: string;
  readonly unit: string;
  readonly backend: string;
  readonly args: (to: Peer) => readonly string[];
  readonly warmUps?: number;
  readonly rounds?: number;
}): Promise<void> {
  await using backend = await Peer.start(traffic, [options.backend]);
  await compare({
    ...options,
    json,
    traffic,
    servers: {
      // Without a proxy: the limit of the traffic program itself.
      "no proxy": () => Peer.start(traffic, [options.backend]),
      ...missing.includes("socat") ? {} : { socat: () => startSocat(backend) },
      ...missing.includes("haproxy") ? {} : {
        haproxy: () => startHaproxy(backend),
        "haproxy, 1 thread": () => startHaproxy(backend, "nbthread 1"),
      },
      ...startBoth("proxy", "--to", backend.address),
    },
  });
}

await compareProxies({
  title: `one stream of ${formatSize(SIZE)}`,
  unit: "MiB",
  backend: "sink",
  args: (to) => ["stream", to.address, String(SIZE)],
});
for (const atOnce of [1, 100]) {
  await compareProxies({
    title: `${SHORT} connections, ${atOnce} at once`,
    unit: "connection",
    backend: "answer",
    args: (to) => ["short", to.address, String(SHORT), String(atOnce)],
    warmUps: SHORT_WARM_UPS,
    ...(atOnce > 1 ? { rounds: ROUNDS_AT_ONCE } : {}),
  });
}

/** Compares echo and hello with the same services in Go, in one run: `deno task bench:services`. @module */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { Log } from "../../cli/terminal/log.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { compare, type Comparison, startBoth, startOurs } from "./comparison.ts";
import { buildGo, missingPrograms, Peer } from "../peers/peer.ts";

const { json } = toolArgs({ command: "deno task bench:services", options: { json: false } });

const SECONDS = 2;
/** Requests for about a second, by how many are made in parallel. */
const REQUESTS = { 1: 5000, 100: 20_000 };
// As many as Go uses here.
const PROCESSES = ["--processes", String(navigator.hardwareConcurrency)];

if ((await missingPrograms(["go"])).length > 0) {
  new Log().warn("Skipped: go is not installed");
  Deno.exit(0);
}

await using temp = new TempDir();
const traffic = await buildGo("traffic", temp.path);
const services = await buildGo("services", temp.path);

for (const [connections, atOnce] of [[1, 1], [100, 1], [100, 16], [1000, 1]] as const) {
  await compare({
    title: `echo, ${connections} × ${atOnce}`,
    unit: "line",
    ...withGo(["echo"], "echo"),
    args: (to) => ["lines", to.address, ...[connections, atOnce, SECONDS].map(String)],
  });
}
for (const atOnce of [1, 100] as const) {
  await compare({
    title: `hello, ${atOnce} at once`,
    unit: "request",
    ...withGo(["hello", "0s"], "hello", "--delay", "0"),
    args: (to) => ["short", to.address, String(REQUESTS[atOnce]), String(atOnce)],
  });
}

/** A service in Go and our own. Of our own, one process on the fastest transport is held against the others. */
function withGo(
  go: readonly string[],
  service: string,
  ...options: readonly string[]
): Pick<Comparison, "servers" | "ours" | "traffic" | "json"> {
  const one = startBoth(service, ...options);
  const ours = Object.keys(one).at(-1)!;
  const transport = ours.includes("epoll") ? ["--transport", "epoll"] : [];
  const several = () => startOurs(service, [...options, ...transport, ...PROCESSES]);
  return {
    json,
    traffic,
    ours,
    servers: { Go: () => Peer.start(services, go), ...one, [`${ours}, ${PROCESSES[1]} processes`]: several },
  };
}

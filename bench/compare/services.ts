/** Compares echo and hello with the same services in Go, in one run: `deno task bench:services`. @module */
import { Log } from "../../cli/terminal/log.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { compare, startBoth } from "./comparison.ts";
import { buildGo, missingPrograms, Peer } from "../peers/peer.ts";

const SECONDS = 2;
const SHORT = 1000;

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
    servers: {
      Go: () => Peer.start(services, ["echo"]),
      ...startBoth("echo"),
    },
    traffic,
    args: (to) => ["lines", to.address, ...[connections, atOnce, SECONDS].map(String)],
    rounds: 3,
  });
}
for (const atOnce of [1, 100]) {
  await compare({
    title: `hello, ${SHORT} requests, ${atOnce} at once`,
    unit: "request",
    servers: {
      Go: () => Peer.start(services, ["hello", "0s"]),
      ...startBoth("hello", "--delay", "0"),
    },
    traffic,
    args: (to) => ["short", to.address, String(SHORT), String(atOnce)],
  });
}

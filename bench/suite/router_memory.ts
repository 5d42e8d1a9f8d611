/**
 * Measures a message in flight in the router: the bytes it keeps, including its line, and the CPU time of a message and
 * its ok, including garbage collection.
 *
 *     deno run -A --v8-flags=--expose-gc bench/suite/router_memory.ts
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import process from "node:process";
import { writeLine } from "../../cli/terminal/write.ts";
import { RouterLoad } from "./router_load.ts";

toolArgs({ command: "deno run -A --v8-flags=--expose-gc bench/suite/router_memory.ts" });

const ROUNDS = 20;
const SHAPES = [{ peers: 100, alive: 1600 }, { peers: 10_000, alive: 10_000 }];

/** Returns the used heap in bytes after a garbage collection. */
function heapUsed(): number {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") throw new Error("Cannot collect garbage: run with --v8-flags=--expose-gc");
  gc();
  return Deno.memoryUsage().heapUsed;
}

/** A load, and the bytes it keeps. */
function build(options: { peers: number; alive: number }): { load: RouterLoad; bytes: number } {
  const before = heapUsed();
  const load = new RouterLoad(options);
  return { load, bytes: heapUsed() - before };
}

for (const shape of SHAPES) build(shape).load.exchange(10_000); // So that what is compiled is not counted.
for (const { peers, alive } of SHAPES) {
  const { load, bytes } = build({ peers, alive });
  const start = process.cpuUsage();
  load.exchange(ROUNDS * alive);
  const { user, system } = process.cpuUsage(start);
  const results = {
    peers,
    alive: load.pending,
    bytesPerMessage: Math.round((bytes - build({ peers, alive: 1 }).bytes) / (alive - 1)),
    cpuNsPerMessage: Math.round((user + system) * 1000 / (ROUNDS * alive)),
  };
  writeLine(Deno.stdout, JSON.stringify(results));
}

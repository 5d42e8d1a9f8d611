/**
 * Measures the memory of an idle relay connection: the growth of the server's resident memory with 10,000 of them,
 * divided by 10,000. Run by `deno task bench`; with `--json` it prints one JSON line.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { residentMemory } from "../../loadtest/process/process_usage.ts";
import { ServerProcess } from "../../tests/_util/programs/program.ts";

const { json } = toolArgs({ command: "deno run -A bench/suite/idle_memory.ts", options: { json: false } });

const CONNECTIONS = 10_000;
const AT_ONCE = 100;

await using server = await ServerProcess.start("relay");
const before = residentMemory(server.pid);
const clients: Deno.TcpConn[] = [];
while (clients.length < CONNECTIONS) {
  const dialed = Array.from(
    { length: AT_ONCE },
    () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
  );
  clients.push(...await Promise.all(dialed));
}
await server.until(({ connections }) => connections === CONNECTIONS);
const after = residentMemory(server.pid);
for (const client of clients) client.close();
if (before === null || after === null) throw new Error("Cannot read the memory of a process: expected Linux");

const bytes = Math.round((after - before) / CONNECTIONS);
if (json) {
  writeLine(Deno.stdout, JSON.stringify({ bench: "idle connection", connections: CONNECTIONS, bytes }));
} else {
  writeLine(
    Deno.stdout,
    `memory: ${(bytes / 1024).toFixed(1)} KiB per idle connection, with ${CONNECTIONS} open`,
  );
}

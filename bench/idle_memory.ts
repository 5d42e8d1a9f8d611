/**
 * What an idle connection costs a relay: the growth of the server's resident memory with 10,000 of them, everything counted,
 * divided by them. Run by `deno task bench`; with `--json` it says a line of JSON.
 *
 * @module
 */
import { writeLine } from "../cli/terminal/log.ts";
import { residentMemory } from "../loadtest/process/process_usage.ts";
import { ServerProcess } from "../tests/_util/programs/program.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 100;

await using server = await ServerProcess.start("relay");
const before = residentMemory(server.pid);
const clients: Deno.TcpConn[] = [];
while (clients.length < CONNECTIONS) {
  const dialled = Array.from(
    { length: AT_ONCE },
    () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
  );
  clients.push(...await Promise.all(dialled));
}
await server.until(({ connections }) => connections === CONNECTIONS);
const after = residentMemory(server.pid);
for (const client of clients) client.close();
if (before === null || after === null) throw new Error("Cannot read the memory of a process: expected Linux");

const bytes = Math.round((after - before) / CONNECTIONS);
if (Deno.args.includes("--json")) {
  writeLine(Deno.stdout, JSON.stringify({ bench: "idle connection", connections: CONNECTIONS, bytes }));
} else {
  writeLine(
    Deno.stdout,
    `memory: ${(bytes / 1024).toFixed(1)} KiB for each of ${CONNECTIONS} idle connections`,
  );
}

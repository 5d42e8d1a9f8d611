/**
 * What asking for `/connections` costs a relay with 10,000 open connections: how long an answer takes, and whether it moves the
 * relay's p99. Rounds with and without requests alternate.
 *
 * @module
 */
import { denoRun } from "../tests/_util/programs/program.ts";
import { writeLine } from "../cli/terminal/write.ts";
import { connect } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import { TextLineStream } from "@std/streams/text-line-stream";

const OPEN = 10_000;
const ACTIVE = 20;
const ROUNDS = 12;
const ROUND_MS = 3000;
/** As often as a page asks. */
const ASK_MS = 1000;

const [program, ...args] = denoRun("server.ts", [
  "relay",
  "--port",
  "0",
  "--host",
  "127.0.0.1",
  "--json",
  "--quiet",
]);
const server = new Deno.Command(program, {
  args: [...args, "--admin", "127.0.0.1:0"],
  stdout: "piped",
  stderr: "null",
}).spawn();
const events = server.stdout.pipeThrough(new TextDecoderStream()).pipeThrough<string>(new TextLineStream())
  [Symbol.asyncIterator]();
const admin = JSON.parse((await events.next()).value!);
const { port } = JSON.parse((await events.next()).value!);

const connections: Connection[] = [];
for (let count = 0; count < OPEN; count += 200) {
  connections.push(...await Promise.all(Array.from({ length: 200 }, () => connect({ port }))));
}
let latencies: number[] = [];
const waiting = new Map<string, () => void>();
for (const connection of connections) {
  void connection.consume((lines) => {
    for (const line of lines) {
      if (line.startsWith("message ")) connection.send(`ok ${line.slice(8)}`);
      else waiting.get(line.slice(3))?.();
    }
  });
}
let over = false;
const active = connections.slice(0, ACTIVE).map(async (connection, index) => {
  for (let count = 0; !over; count++) {
    const text = `${index}-${count}`;
    const begin = performance.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(text, resolve);
    connection.send(`message ${text}`);
    await promise;
    waiting.delete(text);
    latencies.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

const asked: Record<string, number[]> = {};
/** Asks from a process of its own: parsing a long answer here would keep the clients waiting. */
async function ask(query: string): Promise<void> {
  const url = `http://${admin.host}:${admin.port}/connections?sort=bytes_in&${query}`;
  const curl = new Deno.Command("curl", { args: ["-s", "-o", "/dev/null", "-w", "%{time_total}", url] });
  const { stdout } = await curl.output();
  (asked[query] ??= []).push(1000 * Number(new TextDecoder().decode(stdout)));
}

const p99 = { with: [] as number[], without: [] as number[] };
for (let round = 0; round < ROUNDS; round++) {
  latencies = [];
  const asking = round % 2 === 1;
  const until = performance.now() + ROUND_MS;
  while (performance.now() < until) {
    if (asking) await ask("limit=25");
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
  latencies.sort((a, b) => a - b);
  const value = latencies[Math.floor(latencies.length * 0.99)]!;
  p99[asking ? "with" : "without"].push(value);
  writeLine(
    Deno.stdout,
    `${asking ? "asked  " : "not    "} p99 ${value.toFixed(2)} ms of ${latencies.length}`,
  );
}
for (const query of ["limit=1024", "limit=10000"]) {
  for (let count = 0; count < 10; count++) await ask(query);
}
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
for (const [query, times] of Object.entries(asked)) {
  writeLine(
    Deno.stdout,
    `/connections?${query}: median ${median(times).toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`,
  );
}
writeLine(
  Deno.stdout,
  `median p99: ${median(p99.without).toFixed(2)} ms without, ${median(p99.with).toFixed(2)} ms with requests`,
);
over = true;
await Promise.all(active);
server.kill("SIGKILL");
Deno.exit(0);

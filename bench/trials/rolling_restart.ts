/**
 * Counts what short connections notice while all processes of a server are replaced: `deno task rolling-restart`.
 *
 * Each connection sends a line and waits for its echo. A connection that is refused, reset, or ends without its echo was
 * lost by the restart. The server drains, so connections that were accepted are answered.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { TextLineStream } from "@std/streams/text-line-stream";
import { writeLine } from "../../cli/terminal/write.ts";

// The options of the server are checked by itself.
const { rounds: ROUNDS } = toolArgs(
  { command: "deno task rolling-restart", words: { rounds: 10 }, rest: "SERVER_OPTION…" },
  Deno.args.slice(0, 1),
);
const CONNECTIONS = 40;
const SERVER = new URL("../../server.ts", import.meta.url).pathname;

const server = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "-A",
    SERVER,
    ...["echo", "--processes", "2", "--host", "127.0.0.1", "--port", "0", ...Deno.args.slice(1)],
  ],
  stdin: "null",
  stdout: "piped",
  stderr: "piped",
}).spawn();

const outcomes = new Map<string, number>();
let over = false;

/** Connects and exchanges a line, again and again. */
async function visit(port: number): Promise<void> {
  const line = new TextEncoder().encode("hello\n");
  const into = new Uint8Array(64);
  while (!over) {
    let outcome = "answered";
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(line);
      if (await connection.read(into) === null) outcome = "closed without an answer";
    } catch (error) {
      outcome = error instanceof Error ? error.name : String(error);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}

/** Yields the lines that a stream of the server contains. */
function linesOf(stream: ReadableStream<Uint8Array>): ReadableStream<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough<string>(new TextLineStream());
}

async function portOf(): Promise<number> {
  for await (const line of linesOf(server.stdout)) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("The server ended before it listened");
}

const port = await portOf();
const visits = Array.from({ length: CONNECTIONS }, () => visit(port));
let rounds = 0;
server.kill("SIGHUP");
for await (const line of linesOf(server.stderr)) {
  if (!/Process 2 of 2 replaced|was not replaced/.test(line)) continue;
  if (++rounds < ROUNDS) {
    server.kill("SIGHUP");
    continue;
  }
  over = true;
  await Promise.all(visits);
  server.kill("SIGTERM");
}
const { code } = await server.status;
writeLine(
  Deno.stdout,
  JSON.stringify({ replaced: 2 * rounds, ...Object.fromEntries(outcomes), exitCode: code }),
);
Deno.exit(outcomes.size === 1 && code === 0 ? 0 : 1);

/** Measures the time from exec to listening; of the compiled binary too, after `deno task compile:server`. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { denoRun } from "../../tests/_util/programs/program.ts";

const COMPILED = new URL("../../dist/okline-server", import.meta.url).pathname;
const STARTS = 20;

/** Starts a server, and returns once it listens. */
async function start(command: readonly [string, ...string[]]): Promise<Deno.ChildProcess> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (line.includes("listening")) return child;
  }
  throw new Error(`${program} exited before it listened`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const commands = {
  "server.ts": denoRun("server.ts", ["--port", "0"]),
  "dist/okline-server": [COMPILED, "--port", "0"],
} as const;
for (const [name, command] of Object.entries(commands)) {
  Deno.bench(`start: ${name} listens`, {
    n: STARTS,
    warmup: 2,
    ignore: command[0] === COMPILED && !exists(COMPILED),
  }, async (bench) => {
    bench.start();
    const child = await start(command);
    bench.end();
    child.kill("SIGKILL");
    await child.status;
  });
}

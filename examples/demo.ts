/** A relay server and ten clients in two processes, with the output of both. */
import { TextLineStream } from "@std/streams/text-line-stream";

function start(program: string, ...options: readonly string[]): Deno.ChildProcess {
  const path = new URL(`../${program}.ts`, import.meta.url).href;
  const args = ["run", "-A", path, "relay", "--host", "127.0.0.1", ...options];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" }).spawn();
}

async function* show(who: string, stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    console.log(`${who} | ${line}`);
    yield line;
  }
}

const server = start("server", "--port", "0");
const listening = show("server", server.stdout);
const port = (await listening.next()).value.split(":").at(-1);
const client = start("client", "--port", port);
const streams = [show("server", server.stderr), show("client", client.stdout), show("client", client.stderr)];
const shown = streams.map((lines) => Array.fromAsync(lines));
const { code } = await client.status;
server.kill("SIGTERM");
await Promise.all(shown);
Deno.exit(code === 0 ? (await server.status).code : code);

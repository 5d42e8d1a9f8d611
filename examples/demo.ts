/** A relay and ten clients, each program in a process of its own; what both say, side by side. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { writeLine } from "../cli/log.ts";

function start(program: string, ...args: string[]): Deno.ChildProcess {
  const url = new URL(`../${program}.ts`, import.meta.url).href;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", url, ...args],
    stdout: "piped",
    stderr: "piped",
  });
  return command.spawn();
}

async function show(who: string, stream: ReadableStream<Uint8Array>, seen?: (line: string) => void) {
  for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    writeLine(Deno.stdout, `${who} | ${line}`);
    seen?.(line);
  }
}

const server = start("server", "relay", "--port", "0", "--host", "127.0.0.1");
const listening = Promise.withResolvers<string>();
const said = [
  show("server", server.stdout, (line) => listening.resolve(line.split(":").at(-1)!)),
  show("server", server.stderr),
];
const client = start("client", "relay", "--host", "127.0.0.1", "--port", await listening.promise);
said.push(show("client", client.stdout), show("client", client.stderr));
const acknowledged = (await client.status).success;
server.kill("SIGTERM");
await Promise.all(said);
Deno.exit(acknowledged && (await server.status).success ? 0 : 1);

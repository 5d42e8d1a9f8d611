/**
 * Measures what TLS costs a server: memory per idle connection, CPU per handshake, and the throughput of one stream, each
 * beside plain TCP in the same run.
 *
 * `deno task bench:tls`. The server runs in another process, with certificates made for the run.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { cpuUsage } from "node:process";
import { FAIR_IO_ENV, HEAP_FLAG } from "../../cli/run_program.ts";
import { ChildProcess } from "../../loadtest/process/child_process.ts";
import { listen } from "../../socket/listen.ts";
import type { Network, Transport } from "../../socket/network.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { TlsNetwork } from "../../tls/mod.ts";
import { Authority } from "../../tests/_util/tls/certificates.ts";

const IDLE = 2000;
const DIALING = 20;
const WARM_UP = 50;
const SETTLE_MS = 3000;
const STREAM_BYTES = 512 * 1024 * 1024;
const CHUNK = new Uint8Array(256 * 1024);

/** Paths of the files of a certificate. */
interface Files {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** Whether the server name selects the certificate. */
  readonly byName: boolean;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function networkOf(files: Files | undefined): Network {
  if (files === undefined) return systemNetwork;
  const certificate = Deno.readTextFileSync(files.certificate);
  const key = Deno.readTextFileSync(files.key);
  const ca = Deno.readTextFileSync(files.authority);
  const identity = { certificate, key };
  const hosts = files.byName ? { localhost: identity, "*.example.org": identity } : {};
  return new TlsNetwork(systemNetwork, { server: { identity, hosts }, client: { ca } });
}

/** Echoes lines on one port and discards bytes on another; reports its cost on request. */
async function serve(network: Network): Promise<void> {
  const echo = listen({ network });
  const served = echo.serve((peer) =>
    peer.consume((lines) => {
      for (const line of lines) peer.send(line);
    })
  );
  const sink = network.listen({ port: 0 });
  const swallowing = swallow(sink.accept());
  say(JSON.stringify({ event: "listening", echo: echo.port, sink: sink.address.port }));
  for await (const _ of Deno.stdin.readable) {
    const { user, system } = cpuUsage();
    say(JSON.stringify({ event: "cost", rss: Deno.memoryUsage().rss, cpuMs: (user + system) / 1000 }));
  }
  sink.close();
  await Promise.all([served, swallowing]);
}

async function swallow(accepted: Promise<Transport>): Promise<void> {
  const transport = await accepted;
  const buffer = new Uint8Array(64 * 1024);
  while (await transport.read(buffer) !== null);
  await transport.closeWrite();
  transport.close();
}

interface Cost {
  readonly rss: number;
  readonly cpuMs: number;
}

async function measure(name: string, files: Files | undefined): Promise<void> {
  const program = new URL(import.meta.url).pathname;
  let heard = Promise.withResolvers<Record<string, unknown>>();
  const server = new ChildProcess({
    command: [Deno.execPath(), "run", "-A", HEAP_FLAG, program, "serve", JSON.stringify(files ?? null)],
    env: FAIR_IO_ENV,
    onMessage: (line) => heard.resolve(line),
  });
  const ports = await heard.promise;
  const cost = async () => {
    heard = Promise.withResolvers();
    await server.send("cost");
    return await heard.promise as unknown as Cost;
  };

  const idle = new IdlePeers(Number(ports.echo), files);
  await idle.dial(WARM_UP);
  const before = await cost();
  await idle.dial(IDLE);
  const { cpuMs } = await cost();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { rss } = await cost();
  say(`${name}: ${((rss - before.rss) / IDLE / 1024).toFixed(1)} KiB per idle connection`);
  say(
    `${name}: ${
      ((cpuMs - before.cpuMs) / IDLE).toFixed(2)
    } ms of CPU to accept a connection and echo one line`,
  );
  idle.close();

  const stream = await networkOf(files).connect({ hostname: "localhost", port: Number(ports.sink) });
  const start = performance.now();
  for (let sent = 0; sent < STREAM_BYTES;) sent += await stream.write(CHUNK);
  await stream.closeWrite();
  while (await stream.read(new Uint8Array(1)) !== null);
  const seconds = (performance.now() - start) / 1000;
  say(`${name}: ${(STREAM_BYTES / 1024 / 1024 / seconds).toFixed(0)} MiB/s on one stream`);
  stream.close();
  server.kill("SIGKILL");
  await server.ended;
}

/** Peers that exchange one line and then stay idle. */
class IdlePeers {
  readonly #port: number;
  readonly #files: Files | undefined;
  readonly #peers: Deno.Conn[] = [];

  constructor(port: number, files: Files | undefined) {
    this.#port = port;
    this.#files = files;
  }

  async dial(count: number): Promise<void> {
    let left = count;
    await Promise.all(Array.from({ length: DIALING }, async () => {
      while (left-- > 0) this.#peers.push(await this.#one());
    }));
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
  }

  async #one(): Promise<Deno.Conn> {
    const to = { hostname: "localhost", port: this.#port };
    const caCerts = this.#files && [Deno.readTextFileSync(this.#files.authority)];
    // Not the client of this project, whose cost would slow the server down.
    const peer = caCerts === undefined ? await Deno.connect(to) : await Deno.connectTls({ ...to, caCerts });
    await peer.write(new TextEncoder().encode("hello\n"));
    await peer.read(new Uint8Array(16));
    return peer;
  }
}

if (Deno.args[0] === "serve") {
  await serve(networkOf(JSON.parse(Deno.args[1]!) ?? undefined));
} else {
  toolArgs({ command: "deno task bench:tls" });
  await using authority = await Authority.create();
  await authority.issue("server", ["DNS:localhost"]);
  await measure("TCP", undefined);
  await measure("TLS", { ...authority.files, byName: false });
  await measure("TLS by name", { ...authority.files, byName: true });
}

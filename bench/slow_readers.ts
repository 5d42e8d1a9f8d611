/**
 * What 1 % of peers that never read cost the others: round trips of honest peers at a server that echoes lines, without
 * the slow ones and with them.
 *
 * `deno task slow-readers`; the server and the slow ones run in processes of their own. Exit 0 when the slow ones are cut off and the others'
 * 99th percentile grows by less than 10 %, or by less than a millisecond.
 *
 * @module
 */
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { LineProcess } from "../loadtest/line_process.ts";
import { Bench } from "../loadtest/torture/bench.ts";
import { connect } from "../socket/connect.ts";
import { listen, type ListenerStats } from "../socket/listener.ts";

const WRITE_BUFFER = 256 * 1024;
const WARM_UP_MS = 2000;
const PAUSE_MS = 500;
const BOUND = 1.1;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Sends every line back, and does not wait for who does not read. */
async function serve(): Promise<void> {
  const server = listen({ writeBuffer: WRITE_BUFFER });
  const served = server.serve(async (peer) => {
    for await (const lines of peer.batches()) for (const line of lines) peer.send(line);
  });
  say(JSON.stringify({ event: "listening", port: server.port }));
  for await (const _ of Deno.stdin.readable) say(JSON.stringify({ event: "state", ...server.stats() }));
  await server.close();
  await served;
}

class Server {
  readonly #process: LineProcess;
  readonly #listening = Promise.withResolvers<number>();
  #state = Promise.withResolvers<ListenerStats>();

  constructor() {
    const program = new URL(import.meta.url).pathname;
    this.#process = new LineProcess({
      command: [Deno.execPath(), "run", "-A", program, "serve"],
      env: { [CURE_VARIABLE]: CURE_VALUE },
      onLine: (line) => {
        if (line.event === "listening") this.#listening.resolve(Number(line.port));
        else this.#state.resolve(line as unknown as ListenerStats);
      },
    });
  }

  port(): Promise<number> {
    return this.#listening.promise;
  }

  async state(): Promise<ListenerStats> {
    this.#state = Promise.withResolvers();
    await this.#process.say("state");
    return await this.#state.promise;
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.ended;
  }
}

/** One honest peer: asks, waits for the answer, pauses. */
async function honest(
  port: number,
  options: { over: () => boolean; note: (ms: number) => void },
): Promise<void> {
  const connection = await connect({ port });
  const lines = connection.lines();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
  while (!options.over()) {
    const start = performance.now();
    connection.send("how are you");
    await lines.next();
    options.note(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await connection.end();
}

/** One that asks for 640 KiB a second and reads nothing; cut off, it comes again. */
async function slow(port: number, over: () => boolean): Promise<void> {
  using bench = new Bench({ target: { hostname: "127.0.0.1", port } });
  const chunk = `${"x".repeat(1023)}\n`.repeat(64);
  while (!over()) {
    const peer = await bench.connect();
    peer.pause();
    // Not all in step: that would be a burst, and no stream of requests.
    while (!over() && await peer.write(chunk, { within: 1000 })) await bench.pause(50 + 100 * Math.random());
    peer.close();
  }
}

function startSlow(port: number, peers: number): LineProcess {
  const program = new URL(import.meta.url).pathname;
  return new LineProcess({
    command: [Deno.execPath(), "run", "-A", program, "slow", `${port}`, `${peers}`],
    env: {},
    onLine: () => {},
  });
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly trips: number;
  readonly cutOff: number;
}

async function measure(peers: number, slowPeers: number, ms: number): Promise<Figures> {
  const server = new Server();
  const port = await server.port();
  const trips: number[] = [];
  const start = performance.now();
  const over = () => performance.now() - start > WARM_UP_MS + ms;
  const note = (trip: number) => {
    if (performance.now() - start > WARM_UP_MS) trips.push(trip);
  };
  const others = slowPeers > 0 ? startSlow(port, slowPeers) : undefined;
  await Promise.all(Array.from({ length: peers - slowPeers }, () => honest(port, { over, note })));
  const { closed } = await server.state();
  others?.kill("SIGKILL");
  await others?.ended;
  await server.stop();
  trips.sort((a, b) => a - b);
  const at = (share: number) => trips[Math.floor(trips.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), trips: trips.length, cutOff: closed["slow-reader"] };
}

if (Deno.args[0] === "serve") {
  await serve();
} else if (Deno.args[0] === "slow") {
  const [port, peers] = Deno.args.slice(1).map(Number);
  await Promise.all(Array.from({ length: peers! }, () => slow(port!, () => false)));
} else {
  const peers = Number(Deno.args[0] ?? 2000);
  const ms = Number(Deno.args[1] ?? 20_000);
  const without = await measure(peers, 0, ms);
  const beside = await measure(peers, Math.ceil(peers / 100), ms);
  for (const [name, { p50, p99, trips, cutOff }] of Object.entries({ without, beside })) {
    say(
      `${name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${trips} round trips, ${cutOff} cut off`,
    );
  }
  const held = beside.p99 < without.p99 * BOUND || beside.p99 - without.p99 < 1;
  say(`p99 × ${(beside.p99 / without.p99).toFixed(2)}`);
  Deno.exit(held && beside.cutOff > 0 ? 0 : 1);
}

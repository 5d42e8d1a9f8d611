/**
 * The CPU time of a crossing message for two processes without a relay: `deno task bench:bus`. They are connected directly,
 * as the local bus does it, through a third process that passes messages on, or over NATS.
 *
 * A crossing is a message to the other process and its ok. The lines of a turn travel in one message of the bus. The ways
 * take turns, for `--rounds 5`.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { TextLineStream } from "@std/streams/text-line-stream";
import { formatTable } from "../../cli/terminal/table.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { nativeNetwork } from "../../native/mod.ts";
import { decodeEnvelope, encodeEnvelope } from "../../relay/cluster/envelope.ts";
import type { Bus } from "../../relay/cluster/bus.ts";
import { LocalBus } from "../../relay/cluster/local_bus.ts";
import { NatsBus } from "../../relay/cluster/nats_bus.ts";
import { lengthPrefixCodec } from "../../socket/codecs/length_prefix_codec.ts";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { listen } from "../../socket/listen.ts";
import { unixAddress } from "../../socket/network.ts";
import { HAS_NATS, NatsServer } from "../../tests/_util/programs/nats_server.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { cpuSecondsOf } from "../peers/peer.ts";
import { quartiles } from "./relay_windows.ts";

type Link = Connection<Uint8Array>;
type Kind = "mesh" | "hub" | "nats";

/** As much of a bus as two nodes need. */
interface Way {
  receive(onMessage: (message: string) => void): void;
  connect(): Promise<void>;
  send(node: string, message: string): void;
}

const LINES = [1, 16, 64, 128];
/** Messages of the bus in flight. */
const IN_FLIGHT = 4;
const WARM_UP_S = 1;
const WINDOW_S = 3;
const TICK_MS = 1000;

const network = nativeNetwork();
const codec = lengthPrefixCodec({ maxFrame: 1024 * 1024 });
const limits = { writeBuffer: 16 * 1024 * 1024 };
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

function hubOf(folder: string): string {
  return unixAddress(`${folder}/hub`).hostname;
}

/** Connects to every node through the hub. A frame begins with the length of the receiver's name, and the name. */
class HubWay implements Way {
  readonly #node: string;
  readonly #folder: string;
  #onMessage = (_: string): void => {};
  #link: Link | undefined;

  constructor(node: string, folder: string) {
    this.#node = node;
    this.#folder = folder;
  }

  receive(onMessage: (message: string) => void): void {
    this.#onMessage = onMessage;
  }

  async connect(): Promise<void> {
    this.#link = await connect({ hostname: hubOf(this.#folder), port: 0, codec, network, limits });
    this.#link.send(encoder.encode(this.#node));
    void this.#read(this.#link);
  }

  send(node: string, message: string): void {
    this.#link!.send(encoder.encode(`${String.fromCharCode(node.length)}${node}${message}`));
  }

  async #read(link: Link): Promise<void> {
    for await (const frames of link.batches()) {
      for (const frame of frames) this.#onMessage(decoder.decode(frame.subarray(1 + frame[0]!)));
    }
  }
}

/** A bus of the relay. */
class BusWay implements Way {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  receive(onMessage: (message: string) => void): void {
    this.#bus.receive({ onMessage, onStatus() {}, onGone() {} });
  }

  connect(): Promise<void> {
    return this.#bus.connect();
  }

  send(node: string, message: string): void {
    this.#bus.send(node, message);
  }
}

/** Passes messages on, until it is killed. */
async function runHub(folder: string): Promise<void> {
  const links = new Map<string, Link>();
  const hub = listen({ hostnames: [hubOf(folder)], codec, network, limits });
  void hub.serve(async (link: Link) => {
    let name: string | undefined;
    for await (const frames of link.batches()) {
      for (const frame of frames) {
        if (name === undefined) links.set(name = decoder.decode(frame), link);
        else links.get(decoder.decode(frame.subarray(1, 1 + frame[0]!)))?.send(frame.slice());
      }
    }
  });
  writeLine(Deno.stdout, "ready");
  await hub.finished;
}

/** Answers each message with its oks, until it is killed. */
async function runReceiver(way: Way): Promise<void> {
  let sequence = 0;
  way.receive((message) => {
    const envelope = decodeEnvelope(message);
    if (envelope?.kind !== "lines") return;
    const lines = envelope.lines.map((line) => `ok ${line.slice("message ".length)}`);
    way.send("a", encodeEnvelope({ kind: "lines", from: "b", sequence: ++sequence, lines }));
  });
  await way.connect();
  writeLine(Deno.stdout, "ready");
}

/** Keeps messages in flight, and prints the number of its oks every second, until it is killed. */
async function runSender(way: Way, lines: number): Promise<void> {
  let [sequence, oks] = [0, 0];
  const send = (): void => {
    const texts = Array.from({ length: lines }, (_, line) => `message hello #${sequence * lines + line}`);
    way.send("b", encodeEnvelope({ kind: "lines", from: "a", sequence: ++sequence, lines: texts }));
  };
  way.receive((message) => {
    const envelope = decodeEnvelope(message);
    if (envelope?.kind !== "lines") return;
    oks += envelope.lines.length;
    send();
  });
  await way.connect();
  setInterval(() => writeLine(Deno.stdout, String(oks)), TICK_MS);
  for (let count = 0; count < IN_FLIGHT; count++) send();
}

/** A process of this program. */
class Part implements AsyncDisposable {
  readonly lines: AsyncIterator<string>;
  readonly #child: Deno.ChildProcess;

  constructor(...args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", import.meta.filename!, ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      [Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.lines.return?.();
  }
}

/** The CPU time of a crossing in µs: of the two processes, and of the process between them. */
interface Cost {
  readonly nodes: number;
  readonly between: number;
}

async function measure(kind: Kind, lines: number): Promise<Cost> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(new TempDir()).path;
  const start = async (...args: readonly string[]): Promise<Part> => {
    const part = stack.use(new Part(...args));
    await part.lines.next();
    return part;
  };
  const nats = kind === "nats" ? stack.use(await NatsServer.start()) : undefined;
  const between = kind === "hub" ? await start("hub", folder) : nats;
  const place = nats?.url ?? folder;
  const receiver = await start(`b:${kind}`, place);
  const sender = stack.use(new Part(`a:${kind}`, place, String(lines)));
  const look = async () => ({
    oks: Number((await sender.lines.next()).value),
    nodes: cpuSecondsOf(sender.pid) + cpuSecondsOf(receiver.pid),
    between: between === undefined ? 0 : cpuSecondsOf(between.pid),
  });
  for (let second = 1; second < WARM_UP_S; second++) await look();
  const before = await look();
  for (let second = 1; second < WINDOW_S; second++) await look();
  const after = await look();
  const each = 1e6 / (after.oks - before.oks);
  return { nodes: (after.nodes - before.nodes) * each, between: (after.between - before.between) * each };
}

async function compare(rounds: number): Promise<void> {
  const kinds: readonly Kind[] = ["mesh", "hub", ...HAS_NATS ? ["nats" as const] : []];
  const rows: string[][] = [];
  for (const lines of LINES) {
    const costs: Record<Kind, Cost[]> = { mesh: [], hub: [], nats: [] };
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) costs[kind].push(await measure(kind, lines));
    }
    const text = (kind: Kind, of: (cost: Cost) => number): string => {
      const { low, median, high } = quartiles(costs[kind].map(of));
      return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
    };
    rows.push([
      String(lines),
      ...kinds.flatMap((kind) => [
        text(kind, ({ nodes }) => nodes),
        ...kind === "mesh" ? [] : [text(kind, ({ between }) => between)],
      ]),
    ]);
  }
  const heads = { mesh: ["mesh"], hub: ["by a hub", "the hub"], nats: ["over NATS", "its server"] };
  const head = ["lines per message", ...kinds.flatMap((kind) => heads[kind])];
  writeLine(Deno.stdout, "CPU µs per crossing:");
  writeLine(Deno.stdout, formatTable({ head, rows }));
}

function wayOf(kind: string, { node, place }: { readonly node: string; readonly place: string }): Way {
  if (kind === "hub") return new HubWay(node, place);
  return new BusWay(
    kind === "nats"
      ? new NatsBus({ node, servers: [place], network })
      : new LocalBus({ node, folder: place, network }),
  );
}

// A process that this one starts has a role.
const [role = "", place = "", lines = "1"] = Deno.args;
const [node = "", kind = ""] = role.split(":");
const options = { node, place };
if (node === "hub") await runHub(options.place);
else if (node === "b") await runReceiver(wayOf(kind, options));
else if (node === "a") await runSender(wayOf(kind, options), Number(lines));
else await compare(toolArgs({ command: "deno task bench:bus", options: { rounds: 5 } }).rounds);

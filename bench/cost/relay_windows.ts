/** Load for a relay, measured window by window. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import { denoRun } from "../../tests/_util/programs/program.ts";
import { Peer, type PeerOptions } from "../peers/peer.ts";

/** Starts a relay on a free port. */
export function startRelay(options: readonly string[], peer: PeerOptions = {}): Promise<Peer> {
  const [deno, ...args] = denoRun("server.ts", ["relay", "--port", "0", "--host", "127.0.0.1", "--json"]);
  return Peer.start(deno, [...args, ...options], peer);
}

/** The load. */
export interface RelayLoad {
  readonly connections: number;
  /** Those of them that send messages. */
  readonly senders: number;
  /** Messages that each sender keeps in flight. */
  readonly inFlight: number;
  /** Wait in ms between an ok and the next message. */
  readonly pause: number;
  /** Length of a window in s. */
  readonly seconds: number;
  readonly windows: number;
}

/** Measurements of one window. */
export interface Window {
  readonly seconds: number;
  /** Oks. */
  readonly count: number;
  /** Percentiles of the time to the ok in µs. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** CPU time of the relay per ok in µs. */
  readonly cpu: number;
}

/**
 * Puts load on a relay, and yields each window when it is over.
 *
 * @param program Path of the built `relay_load.go`.
 */
export async function* relayWindows(program: string, to: Peer, load: RelayLoad): AsyncGenerator<Window> {
  const { connections, senders, inFlight, pause, seconds, windows } = load;
  const child = new Deno.Command(program, {
    args: [to.address, ...[connections, senders, inFlight, pause, seconds, windows].map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  let before = to.cpuSeconds();
  let since = performance.now();
  for await (const line of lines) {
    const window = JSON.parse(line);
    const now = performance.now();
    // The first window begins after the warm-up, and between two of them the times are sorted: the load goes on.
    const share = window.seconds * 1000 / (now - since);
    const used = to.cpuSeconds();
    yield { ...window, cpu: (used - before) * share * 1e6 / window.count };
    before = to.cpuSeconds();
    since = performance.now();
  }
  if (!(await child.status).success) throw new Error("The load failed");
}

/** Returns the median and the quartiles of values. */
export function quartiles(values: readonly number[]): { low: number; median: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** Returns the median ratio, and the quartiles, such as `1.02 (0.98 to 1.05)`. */
export function ratioText(ratios: readonly number[]): string {
  const { low, median, high } = quartiles(ratios);
  return `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

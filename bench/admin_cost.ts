/**
 * The cost of being observed, for a relay with 100 connections that keep 16 messages in flight each: `deno task bench:admin-cost`.
 *
 * The same load goes to a relay that is not observed, to one with a log, to one with an admin server whose metrics are scraped once
 * per second, and to one that exports through OpenTelemetry. They take turns, each round begins with another one, and each is
 * compared with the first relay in the same round. A second relay that is not observed shows how much of a difference is chance.
 * `--rounds 8` is how often; `--only "admin, scraped"` leaves out the others.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { delay } from "@std/async/delay";
import { Log } from "../cli/terminal/log.ts";
import { formatTable } from "../cli/terminal/table.ts";
import { writeLine } from "../cli/terminal/write.ts";
import { TempDir } from "../tests/_util/temp_dir.ts";
import { buildGo, missingPrograms, type Peer } from "./peer.ts";
import { quartiles, ratioText, relayWindows, startRelay, type Window } from "./relay_windows.ts";

const LOAD = { connections: 100, senders: 100, inFlight: 16, pause: 0, seconds: 3, windows: 1 };
const SCRAPE_MS = 1000;
const TELEMETRY = {
  OTEL_DENO: "true",
  OTEL_EXPORTER_OTLP_PROTOCOL: "console",
  OTEL_METRIC_EXPORT_INTERVAL: "1000",
};

const { rounds = "8", only } = parseArgs(Deno.args, { string: ["rounds", "only"] });
if ((await missingPrograms(["go"])).length > 0) {
  new Log().warn("Skipped: go is not installed");
  Deno.exit(0);
}

await using stack = new AsyncDisposableStack();
const temp = stack.use(new TempDir());
const program = await buildGo("relay_load", temp.path);
const relays: { readonly name: string; readonly relay: Peer; readonly windows: Window[] }[] = [];
for (
  const [name, options, env] of [
    ["not observed", ["--quiet"], {}],
    ["not observed, again", ["--quiet"], {}],
    ["log", [], {}],
    ["admin, scraped", ["--quiet", "--admin", "127.0.0.1:0"], {}],
    ["OpenTelemetry", ["--quiet"], TELEMETRY],
  ] as const
) {
  if (only !== undefined && only !== name && !name.startsWith("not observed")) continue;
  relays.push({ name, relay: stack.use(await startRelay(options, { env, log: "null" })), windows: [] });
}

async function scrapeUntil(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    if (!(await answer.text()).includes("okline_ack_seconds_count")) throw new Error("The scrape failed");
    await delay(SCRAPE_MS);
  }
}

for (let round = 0; round < Number(rounds); round++) {
  const first = round % relays.length;
  for (const { relay, windows } of [...relays.slice(first), ...relays.slice(0, first)]) {
    const over = new AbortController();
    const scraping = relay.adminPort === undefined ? undefined : scrapeUntil(relay.adminPort, over.signal);
    windows.push(...await Array.fromAsync(relayWindows(program, relay, LOAD)));
    over.abort();
    await scraping;
  }
}

const ratios = (windows: readonly Window[], value: (window: Window) => number) =>
  ratioText(windows.map((window, round) => value(window) / value(relays[0]!.windows[round]!)));
const perSecond = ({ count, seconds }: Window) => count / seconds;
writeLine(
  Deno.stdout,
  formatTable({
    head: ["100 × 16", "oks/s", "CPU µs per ok", "oks/s ÷ not observed", "CPU ÷ not observed"],
    rows: relays.map(({ name, windows }) => [
      name,
      Math.round(quartiles(windows.map(perSecond)).median),
      quartiles(windows.map(({ cpu }) => cpu)).median.toFixed(2),
      ratios(windows, perSecond),
      ratios(windows, ({ cpu }) => cpu),
    ]),
  }),
);

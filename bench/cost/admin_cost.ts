/**
 * The cost of being observed, for a relay with 100 connections that keep 16 messages in flight each: `deno task bench:admin-cost`.
 *
 * The same load goes to a relay that is not observed, to one with a log, to one with an admin server whose metrics are scraped once
 * per second, and to one that exports through OpenTelemetry. They take turns, each round begins with another one, and each is
 * compared with the first relay in the same round. Each round starts them anew: two processes of the same kind may differ by 5 %
 * for as long as they run. A second relay that is not observed shows how much of a difference is chance.
 * `--rounds 8` is how often; `--only "admin, scraped"` leaves out the others.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { delay } from "@std/async/delay";
import { Log } from "../../cli/terminal/log.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { buildGo, missingPrograms } from "../peers/peer.ts";
import { quartiles, ratioText, relayWindows, startRelay, type Window } from "./relay_windows.ts";

const LOAD = { connections: 100, senders: 100, inFlight: 16, pause: 0, seconds: 3, windows: 1 };
const SCRAPE_MS = 1000;
const TELEMETRY = {
  OTEL_DENO: "true",
  OTEL_EXPORTER_OTLP_PROTOCOL: "console",
  OTEL_METRIC_EXPORT_INTERVAL: "1000",
};

const { rounds, only } = toolArgs({
  command: "deno task bench:admin-cost",
  options: { rounds: 8, only: "" },
});
if ((await missingPrograms(["go"])).length > 0) {
  new Log().warn("Skipped: go is not installed");
  Deno.exit(0);
}

const CASES: Readonly<
  Record<string, { readonly options: readonly string[]; readonly env?: Record<string, string> }>
> = {
  "not observed": { options: ["--quiet"] },
  "not observed, again": { options: ["--quiet"] },
  "log": { options: [] },
  "admin, scraped": { options: ["--quiet", "--admin", "127.0.0.1:0"] },
  "OpenTelemetry": { options: ["--quiet"], env: TELEMETRY },
};

if (only !== "" && !Object.hasOwn(CASES, only)) {
  new Log().error(
    `Cannot use --only ${JSON.stringify(only)}: expected one of ${Object.keys(CASES).join("; ")}`,
  );
  Deno.exit(2);
}

await using temp = new TempDir();
const program = await buildGo("relay_load", temp.path);
const measured = Object.entries(CASES)
  .filter(([name]) => only === "" || only === name || name.startsWith("not observed"))
  .map(([name, { options, env = {} }]) => ({ name, options, env, windows: [] as Window[] }));

async function scrapeUntil(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    if (!(await answer.text()).includes("okline_ack_seconds_count")) throw new Error("The scrape failed");
    await delay(SCRAPE_MS);
  }
}

/** Measures a new relay. */
async function windowOf({ options, env }: (typeof measured)[number]): Promise<Window> {
  await using relay = await startRelay(options, { env, log: "null" });
  const over = new AbortController();
  const scraping = relay.adminPort === undefined ? undefined : scrapeUntil(relay.adminPort, over.signal);
  const [window] = await Array.fromAsync(relayWindows(program, relay, LOAD));
  over.abort();
  await scraping;
  return window!;
}

for (let round = 0; round < rounds; round++) {
  const first = round % measured.length;
  for (const one of [...measured.slice(first), ...measured.slice(0, first)]) {
    one.windows.push(await windowOf(one));
  }
}

const ratios = (windows: readonly Window[], value: (window: Window) => number) =>
  ratioText(windows.map((window, round) => value(window) / value(measured[0]!.windows[round]!)));
const perSecond = ({ count, seconds }: Window) => count / seconds;
writeLine(
  Deno.stdout,
  formatTable({
    head: ["100 × 16", "oks/s", "CPU µs per ok", "oks/s ÷ not observed", "CPU ÷ not observed"],
    rows: measured.map(({ name, windows }) => [
      name,
      Math.round(quartiles(windows.map(perSecond)).median),
      quartiles(windows.map(({ cpu }) => cpu)).median.toFixed(2),
      ratios(windows, perSecond),
      ratios(windows, ({ cpu }) => cpu),
    ]),
  }),
);

/**
 * The cost of `/connections` for a relay with 10,000 open connections, 200 of which send messages: `deno task bench:admin`.
 *
 * Windows without requests alternate with windows in which the list is requested once per second, and each is compared with the
 * windows before and after it. It prints the median ratios, how long answers took, and the CPU time of one answer. `--minutes 4`
 * is how long it measures.
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

const LOAD = { connections: 10_000, senders: 200, inFlight: 1, pause: 25, seconds: 2 };
/** The page requests the first, `client.ts top` the second, and nothing is longer than the last. */
const QUERIES = ["sort=bytes_in&limit=25", "", "limit=10000"];
const SET_UP_MS = 25_000;
const FIRST_MS = 500;
/** As often as a page requests it. */
const EACH_MS = 1000;
const CPU_ANSWERS = 20;
const IDLE_S = 8;

const { minutes } = toolArgs({ command: "deno task bench:admin", options: { minutes: 4 } });
if ((await missingPrograms(["go"])).length > 0) {
  new Log().warn("Skipped: go is not installed");
  Deno.exit(0);
}

await using temp = new TempDir();
const program = await buildGo("relay_load", temp.path);
await using relay = await startRelay(["--quiet", "--admin", "127.0.0.1:0"]);

/** Requests a list, and returns how long the answer took in ms. It is not parsed: that would take a processor away. */
async function request(query: string): Promise<number> {
  const begin = performance.now();
  const answer = await fetch(`http://127.0.0.1:${relay.adminPort}/connections?${query}`);
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`/connections?${query} failed: ${answer.status}`);
  return performance.now() - begin;
}

const answers = new Map(QUERIES.map((query) => [query, [] as number[]]));

/** Requests a list half a second after now, and then once per second, until the window is over. */
async function requestUntil(query: string, over: AbortSignal): Promise<void> {
  await delay(FIRST_MS);
  while (!over.aborted) {
    answers.get(query)!.push(await request(query));
    await delay(EACH_MS);
  }
}

const measured: { readonly query: string | undefined; readonly window: Window }[] = [];
const windows = Math.floor((minutes * 60_000 - SET_UP_MS) / 1000 / LOAD.seconds);
let query: string | undefined;
let over = new AbortController();
let requesting: Promise<void> | undefined;
for await (const window of relayWindows(program, relay, { ...LOAD, windows })) {
  over.abort();
  await requesting;
  measured.push({ query, window });
  query = measured.length % 2 === 1 ? QUERIES[(measured.length >> 1) % QUERIES.length] : undefined;
  over = new AbortController();
  requesting = query === undefined ? undefined : requestUntil(query, over.signal);
}
over.abort();
await requesting;

/** The ratios of a value in windows with requests to the mean of the windows before and after. */
function ratiosOf(query: string, value: (window: Window) => number): number[] {
  return measured.flatMap((at, index) => {
    const [before, after] = [measured[index - 1], measured[index + 1]];
    if (at.query !== query || before === undefined || after === undefined) return [];
    return [value(at.window) * 2 / (value(before.window) + value(after.window))];
  });
}

// The same connections, without messages.
const idle = relayWindows(program, relay, { ...LOAD, senders: 0, seconds: IDLE_S, windows: 1 });
const idleOver = idle.next();
let open = 0;
while (open < LOAD.connections) {
  const state = await (await fetch(`http://127.0.0.1:${relay.adminPort}/state`)).json();
  open = state.connections;
}
const cpu = new Map<string, number>();
for (const query of QUERIES) {
  const before = relay.cpuSeconds();
  for (let count = 0; count < CPU_ANSWERS; count++) await request(query);
  cpu.set(query, (relay.cpuSeconds() - before) * 1000 / CPU_ANSWERS);
}
await idleOver;

const quiet = measured.filter((at) => at.query === undefined).map(({ window }) => window);
const { median: p99 } = quartiles(quiet.map((window) => window.p99));
const { median: perSecond } = quartiles(quiet.map(({ count, seconds }) => count / seconds));
writeLine(
  Deno.stdout,
  `${LOAD.connections} connections, ${Math.round(perSecond)} oks/s, p99 ${
    (p99 / 1000).toFixed(2)
  } ms without requests`,
);
writeLine(
  Deno.stdout,
  formatTable({
    head: [
      "/connections",
      "p99 with ÷ without",
      "CPU per ok",
      "answer ms, p50 / most",
      "CPU ms of an answer",
    ],
    rows: QUERIES.map((query) => {
      const times = answers.get(query)!;
      return [
        query === "" ? "(1,024 rows)" : query,
        ratioText(ratiosOf(query, (window) => window.p99)),
        ratioText(ratiosOf(query, (window) => window.cpu)),
        `${quartiles(times).median.toFixed(1)} / ${Math.max(...times).toFixed(1)}`,
        cpu.get(query)!.toFixed(1),
      ];
    }),
  }),
);

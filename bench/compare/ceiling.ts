/**
 * Compares the most requests per second of one load generator with those of redis-benchmark, on the same Redis in one run:
 * 100 connections with 16 requests in flight on each, as 16 messages with one request, and as one message that sends 16 in
 * one write, as redis-benchmark does. Run by `deno task bench:ceiling`, whose `--rounds 3` and `--requests 2000000` are how
 * often, and how many requests a run sends.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { Log } from "../../cli/terminal/log.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { denoRun } from "../../tests/_util/programs/program.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";
import { missingPrograms, Peer } from "../peers/peer.ts";

const CONNECTIONS = 100;
const IN_FLIGHT = 16;
const KEYS = 100_000;

/**
 * A request of our scenarios, what they expect, and the test of redis-benchmark that sends the same, which sets keys to
 * `VXK`.
 */
const TESTS: Readonly<
  Record<string, { readonly test: string; readonly frame: string; readonly expect: string }>
> = {
  PING: { test: "ping_mbulk", frame: `["PING"]`, expect: `"PONG"` },
  SET: { test: "set", frame: `["SET", key(t), "VXK"]`, expect: `"OK"` },
  GET: { test: "get", frame: `["GET", key(t)]`, expect: `(value) => value === "VXK" || value === null` },
};

/** The calls to compare: the code of a message, and the options under which 16 requests are in flight. */
const CALLS: Readonly<
  Record<string, {
    readonly message: (frame: string, expect: string) => string;
    readonly inFlight: number;
    readonly requests: number;
  }>
> = {
  ask: {
    message: (frame, expect) => `await t.ask(${frame}, { expect: ${expect} });`,
    inFlight: IN_FLIGHT,
    requests: 1,
  },
  askAll: {
    message: (frame, expect) => `
    const frames = [];
    for (let i = 0; i < ${IN_FLIGHT}; i++) frames.push(${frame});
    await t.askAll(frames, { expect: ${expect} });
  `,
    inFlight: 1,
    requests: IN_FLIGHT,
  },
};

const { rounds, requests } = toolArgs({
  command: "deno task bench:ceiling",
  options: { rounds: 3, requests: 2_000_000 },
});
const messages = Math.round(requests / CONNECTIONS / IN_FLIGHT);
/** A multiple of what is in flight, so that every client sends as many, however it sends them. */
const total = messages * CONNECTIONS * IN_FLIGHT;
if (!(rounds >= 1 && messages >= 1)) {
  throw new RangeError(`Cannot run ${requests} requests in ${rounds} rounds: expected more`);
}

const log = new Log();
const missing = await missingPrograms(["redis-server", "redis-benchmark"]);
if (missing.length > 0) {
  log.warn(`Skipped: needs ${missing.join(" and ")}, which is not installed`);
  Deno.exit(0);
}

await using temp = new TempDir();
await using redis = await Peer.startAt("redis-server", (port) => [
  "--port",
  `${port}`,
  "--save",
  "",
  "--appendonly",
  "no",
]);

/** Writes a scenario whose keys are those of redis-benchmark, and returns its file. */
function writeScenario(name: string, message: string): string {
  const file = `${temp.path}/${name}.ts`;
  const library = new URL("../../loadtest/mod.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    file,
    `import { respCodec, scenario } from "${library}";
export const key = (t: { random(): number }): string =>
  "key:" + String(Math.floor(t.random() * ${KEYS})).padStart(12, "0");
export default scenario({ codec: respCodec(), async message(t) { ${message} } });
`,
  );
  return file;
}

/** Runs a program to its end, and returns what it printed on stdout. */
async function outputOf(command: readonly [string, ...string[]]): Promise<string> {
  const [program, ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stderr: "piped" }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function theirs(test: string): Promise<number> {
  const output = await outputOf([
    "redis-benchmark",
    ...["-p", `${redis.port}`, "-c", `${CONNECTIONS}`, "-P", `${IN_FLIGHT}`],
    ...["-n", `${total}`, "-r", `${KEYS}`, "-t", test, "--csv"],
  ]);
  const rate = Number(output.trim().split("\n").at(-1)?.split(",")[1]?.replaceAll('"', ""));
  if (!(rate > 0)) throw new Error(`redis-benchmark printed no rate: ${output}`);
  return rate;
}

/** A result: requests per second, and CPU time of the generator per request in µs. */
interface Result {
  readonly rate: number;
  readonly cpu: number;
}

async function ours({ file, inFlight, requests, transport }: Run): Promise<Result> {
  const command = denoRun("loadtest.ts", [
    "run",
    file,
    ...["--target", redis.address, "--clients", `${CONNECTIONS}`, "--window", "100ms"],
    ...["--messages", `${total / CONNECTIONS / requests}`, "--in-flight", `${inFlight}`],
    ...["--max-lag", "10s", "--deadline", "10m", "--processes", "1", "--transport", transport, "--json"],
  ]);
  const last = (await outputOf(command)).trim().split("\n").at(-1) ?? "";
  const { verdict, scenario, cpu, durationMs } = JSON.parse(last);
  if (verdict !== "delivered") throw new Error(`The load test ended as ${verdict}: the result is void`);
  if (scenario.requests !== total) throw new Error(`The load test sent ${scenario.requests} requests`);
  return { rate: scenario.perSecond, cpu: 1000 * durationMs * cpu.generator / total };
}

/** A column of the table. */
interface Run {
  readonly call: string;
  readonly transport: string;
  readonly file: string;
  readonly inFlight: number;
  readonly requests: number;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const shown = (rate: number): string => Math.round(rate).toLocaleString("en");

const transports = Deno.build.os === "linux" ? ["deno", "epoll"] : ["deno"];
const rows: string[][] = [];
for (const [name, { test, frame, expect }] of Object.entries(TESTS)) {
  const runs = Object.entries(CALLS).flatMap(([call, { message, inFlight, requests }]): Run[] => {
    const file = writeScenario(`${name}_${call}`, message(frame, expect));
    return transports.map((transport) => ({ call, transport, file, inFlight, requests }));
  });
  const base: number[] = [];
  const results = runs.map((): Result[] => []);
  for (let round = 0; round < rounds; round++) {
    base.push(await theirs(test));
    for (const [index, run] of runs.entries()) results[index]!.push(await ours(run));
  }
  rows.push([name, "redis-benchmark", "", shown(median(base)), "1.00", ""]);
  for (const [index, { call, transport }] of runs.entries()) {
    const rate = median(results[index]!.map(({ rate }) => rate));
    const cpu = median(results[index]!.map(({ cpu }) => cpu));
    rows.push(["", call, transport, shown(rate), (rate / median(base)).toFixed(2), cpu.toFixed(2)]);
  }
}
writeLine(
  Deno.stdout,
  formatTable({
    head: [`${CONNECTIONS} × ${IN_FLIGHT}`, "client", "network", "requests/s", "ratio", "CPU µs/request"],
    rows,
  }),
);

/**
 * Compares the most requests per second of one load generator with those of redis-benchmark, on the same Redis in one run:
 * 100 connections with 16 requests in flight on each. Run by `deno task bench:ceiling`.
 *
 * @module
 */
import { Log } from "../cli/terminal/log.ts";
import { formatTable } from "../cli/terminal/table.ts";
import { writeLine } from "../cli/terminal/write.ts";
import { denoRun } from "../tests/_util/programs/program.ts";
import { TempDir } from "../tests/_util/temp_dir.ts";
import { missingPrograms, Peer } from "./peer.ts";

const CONNECTIONS = 100;
const IN_FLIGHT = 16;
const REQUESTS = 2_000_000;
const KEYS = 100_000;
const ROUNDS = 3;

/** A message of our scenario, and the test of redis-benchmark that sends the same. */
const TESTS: Readonly<Record<string, { readonly test: string; readonly message: string }>> = {
  "PING": { test: "ping_mbulk", message: `await t.ask(["PING"], { expect: "PONG" });` },
  "SET": {
    test: "set",
    message:
      `await t.ask(["SET", "key:" + Math.floor(t.random() * ${KEYS}).toString().padStart(12, "0"), "xxx"], { expect: "OK" });`,
  },
  "GET": {
    test: "get",
    message:
      `await t.ask(["GET", "key:" + Math.floor(t.random() * ${KEYS}).toString().padStart(12, "0")], { expect: (v) => v === "xxx" || v === null });`,
  },
};

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
    ...["-n", `${REQUESTS}`, "-r", `${KEYS}`, "-t", test, "--csv"],
  ]);
  const rate = Number(output.trim().split("\n").at(-1)?.split(",")[1]?.replaceAll('"', ""));
  if (!(rate > 0)) throw new Error(`redis-benchmark printed no rate: ${output}`);
  return rate;
}

async function ours(scenario: string, transport: string): Promise<number> {
  const command = denoRun("loadtest.ts", [
    "run",
    scenario,
    ...["--target", redis.address, "--clients", `${CONNECTIONS}`, "--window", "100ms"],
    ...["--messages", `${REQUESTS / CONNECTIONS}`, "--in-flight", `${IN_FLIGHT}`],
    ...["--max-lag", "10s", "--processes", "1", "--transport", transport, "--json"],
  ]);
  const last = (await outputOf(command)).trim().split("\n").at(-1) ?? "";
  const { verdict, scenario: { perSecond } } = JSON.parse(last);
  if (verdict !== "delivered") throw new Error(`The load test ended as ${verdict}: the result is void`);
  return perSecond;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const shown = (rate: number): string => Math.round(rate).toLocaleString("en");

const transports = Deno.build.os === "linux" ? ["deno", "epoll"] : ["deno"];
const rows: string[][] = [];
for (const [name, { test, message }] of Object.entries(TESTS)) {
  const file = `${temp.path}/${name.toLowerCase()}.ts`;
  const library = new URL("../loadtest.ts", import.meta.url).href;
  Deno.writeTextFileSync(
    file,
    `import { respCodec, scenario } from "${library}";
export default scenario({ codec: respCodec(), async message(t) { ${message} } });
`,
  );
  const rates = new Map<string, number[]>([
    ["theirs", []],
    ...transports.map((t) => [t, []] as [string, number[]]),
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    rates.get("theirs")!.push(await theirs(test));
    for (const transport of transports) rates.get(transport)!.push(await ours(file, transport));
  }
  const base = median(rates.get("theirs")!);
  rows.push([
    name,
    shown(base),
    ...transports.flatMap((transport) => {
      const rate = median(rates.get(transport)!);
      return [shown(rate), (rate / base).toFixed(2)];
    }),
  ]);
}
writeLine(
  Deno.stdout,
  formatTable({
    head: [
      `requests per second, ${CONNECTIONS} × ${IN_FLIGHT}`,
      "redis-benchmark",
      ...transports.flatMap((transport) => [`okline, ${transport}`, "ratio"]),
    ],
    rows,
  }),
);

/** `loadtest.ts torture`: hostile peers against a server of lines. @module */
import type { Context } from "../cli/cured.ts";
import { ExitCode, ExitError } from "../cli/exit.ts";
import { Log } from "../cli/log.ts";
import { address, custom, duration, flag, integer, size, text } from "../cli/option.ts";
import { printable } from "../cli/printable.ts";
import type { Values } from "../cli/program.ts";
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { formatTable } from "../cli/table.ts";
import { OwnServer } from "../loadtest/own_server.ts";
import { randomStream } from "../loadtest/random.ts";
import { Bench } from "../loadtest/torture/bench.ts";
import { torture, type TortureResult } from "../loadtest/torture/torture.ts";
import { type Address, formatAddress } from "../socket/network.ts";
import { loadTestCommand } from "./self.ts";

const options = {
  target: address({ help: "A server of lines to test in place of an own relay", minPort: 1 }),
  maxLine: size({ help: "Longest line that the server takes", min: 1, default: 64 * 1024 }),
  scale: custom(parseScale, {
    help: "All counts and volumes times this",
    accepts: "a number over 0, up to 10",
    format: String,
    default: 1,
  }),
  only: text({ help: "Only the cases with this in their names", placeholder: "TEXT", default: "" }),
  caseTimeout: duration({ help: "Longest time for one case", default: 60_000 }),
  seed: integer({ help: "The same seed gives the same random bytes", min: 0, max: 2 ** 32 - 1, default: 1 }),
  json: flag({ help: "Machine output on stdout, one JSON object a line" }),
  quiet: flag({ help: "No remarks on stderr, but for warnings and errors" }),
};

/** `loadtest.ts torture`. */
export const tortureCommand = {
  summary: "Runs hostile peers against a server of lines, and looks whether it goes on serving others",
  options,
  examples: [
    ["torture", "Every case against a relay of its own"],
    ["torture --target 127.0.0.1:7 --scale 0.1", "A tenth of it against a server that runs already"],
  ],
} as const;

/** What an own server must come back to. */
const ZERO_TIMEOUT = 5000;

/**
 * Runs the suite; exit 0 when every case was survived.
 *
 * @throws {ExitError} If the target serves nobody, before the first case.
 */
export async function runTorture(values: Values<typeof options>, { onSignal }: Context): Promise<ExitCode> {
  const log = new Log({ json: values.json, quiet: values.quiet });
  const interrupted = new AbortController();
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  if (values.target !== undefined) await assertServed(values.target);
  const own = values.target === undefined ? await startOwn(values.maxLine) : undefined;
  const target = own?.addresses[0] ?? values.target!;
  log.info(`Torturing ${formatAddress(target)}`);
  const results: TortureResult[] = [];
  for await (
    const result of torture({
      target,
      maxLine: values.maxLine,
      scale: values.scale,
      only: values.only,
      caseTimeout: values.caseTimeout,
      random: randomStream(values.seed, "fault"),
      signal: interrupted.signal,
      onCase: (name) => log.info(`${name} …`),
    })
  ) {
    results.push(result);
    if (values.json) log.result("", { event: "case", ...result });
  }
  const left = own === undefined ? undefined : await whatIsLeft(own);
  await own?.stop();
  const failed = results.filter(({ fault }) => fault !== undefined).length;
  const verdict = failed === 0 && left === undefined && !interrupted.signal.aborted ? "survived" : "failed";
  log.result(summary(results, left), {
    event: "torture",
    verdict,
    cases: results.length,
    failed,
    left: left ?? null,
  });
  if (interrupted.signal.aborted) return ExitCode.interrupted;
  return verdict === "survived" ? ExitCode.ok : ExitCode.failure;
}

/** Every case would fail at a server that serves nobody, and say nothing of how it stands the case. */
async function assertServed(target: Address): Promise<void> {
  using bench = new Bench({ target });
  const probe = await bench.probe();
  if (typeof probe === "number") return;
  throw new ExitError(
    `Cannot torture ${formatAddress(target)}, which does not serve an honest peer: ${printable(probe)}`,
  );
}

function parseScale(given: string): number {
  const scale = Number(given);
  if (given.trim() === "" || !(scale > 0 && scale <= 10)) throw new RangeError(given);
  return scale;
}

async function startOwn(maxLine: number): Promise<OwnServer> {
  return await OwnServer.start({
    command: [...loadTestCommand("own-server"), "--max-line", `${maxLine}`],
    env: { [CURE_VARIABLE]: CURE_VALUE },
    hostnames: ["127.0.0.1"],
  });
}

/** What the own server still holds; `undefined` when that is nothing. */
async function whatIsLeft(own: OwnServer): Promise<string | undefined> {
  const state = await own.untilZero(ZERO_TIMEOUT);
  if (state === null) return "the server is gone";
  const { connections, pending, timers, queuedBytes, descriptors } = state;
  const held = Object.entries({ connections, pending, timers, queuedBytes, descriptors })
    .filter(([, count]) => (count ?? 0) !== 0)
    .map(([name, count]) => `${name} ${count}`);
  return held.length === 0 ? undefined : held.join(", ");
}

function summary(results: readonly TortureResult[], left: string | undefined): string {
  const table = formatTable({
    head: ["case", "verdict", "ms", "honest peer ms", "what was seen"],
    rows: results.map(({ name, fault, ms, probeMs, saw }) => [
      name,
      fault === undefined ? "survived" : "FAILED",
      Math.round(ms),
      probeMs === null ? "-" : Math.round(probeMs),
      printable(fault === undefined ? saw : `${fault}${saw === "" ? "" : ` (${saw})`}`),
    ]),
  });
  return left === undefined ? table : `${table}\nLeft in the server: ${left}`;
}

/** `loadtest.ts torture`: hostile peers against a line server. @module */
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { address, custom, duration, group, integer, size, text } from "../../args/option.ts";
import { printable, quoted } from "../../../internal/printable.ts";
import type { Values } from "../../args/program.ts";
import { type Context, FAIR_IO_ENV } from "../../run_program.ts";
import { SpawnedServer } from "../../../loadtest/process/spawned_server.ts";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { PROBE, type TortureRigOptions } from "../../../loadtest/torture/rig.ts";
import { probeTarget } from "../../../loadtest/torture/probe_target.ts";
import { renderTortureJunit } from "../../../loadtest/report/junit.ts";
import { TargetProcess } from "../../../loadtest/torture/target_process.ts";
import { caseNames, torture, type TortureResult } from "../../../loadtest/torture/torture.ts";
import { ProtocolError, unescapeText } from "../../../protocol.ts";
import { formatAddress } from "../../../socket/network.ts";
import type { TlsClientOptions } from "../../../tls/mod.ts";
import { jsonOption, logOptions, quietOption } from "../../shared/output_options.ts";
import { logFailure, startLog } from "../../shared/program_log.ts";
import { assertWritable, outputFile, writeWhole } from "../../shared/output_file.ts";
import { SelfSigned } from "../self_signed.ts";
import { respawnCommand } from "../respawn.ts";
import { transportArguments } from "../../shared/transport_option.ts";
import { tlsClient, tlsClientOptions } from "../../client/tls_options.ts";
import { tortureReport, verdictOf } from "./report.ts";

const MIB = 1024 * 1024;
/** The longest accepted wait in ms. Longer ones make no sense for one case. */
const MAX_WAIT = 86_400_000;

const options = {
  ...group("Torture", {
    target: address({ help: "Line server to test instead of a spawned relay", minPort: 1 }),
    probe: custom(parseProbe, {
      help: "Line that an honest peer sends and expects a reply to; \\r and \\n are CR and LF",
      accepts: "text, in which \\r, \\n and \\\\ stand for CR, LF, and a backslash",
      placeholder: "TEXT",
      format: (probe) => printable(probe),
      default: PROBE,
    }),
    patience: duration({ help: "Longest wait for a reply", default: 5000, max: MAX_WAIT }),
    pid: integer({
      help: "Process of the target, to measure its memory and sockets",
      min: 1,
      defaultText: "the local listeners on the target's port",
    }),
    memoryGrowth: size({
      help: "Largest growth of the server's memory",
      defaultText: "512MiB, with TLS 1GiB",
    }),
    maxLine: size({
      help:
        "Line limit of the server, which must refuse one byte more; a --target with another limit fails " +
        "the case line limit",
      min: 1,
      default: 64 * 1024,
    }),
    scale: custom(parseScale, {
      help: "Factor for all counts and volumes",
      accepts: "a number over 0, up to 10",
      format: String,
      default: 1,
    }),
    only: text({
      help: "Run only cases with this in their names",
      placeholder: "TEXT",
      default: "",
      defaultText: "all",
    }),
    caseTimeout: duration({ help: "Longest time for one case", default: 60_000, max: MAX_WAIT }),
    seed: integer({ help: "Seed of the random bytes", min: 0, max: 2 ** 32 - 1, default: 1 }),
  }),
  ...tlsClientOptions,
  ...group("Output", { junit: outputFile("Write the result to this file as JUnit XML", "FILE.xml") }),
  ...jsonOption,
  ...quietOption,
  ...logOptions,
};

/** `loadtest.ts torture`. */
export const tortureCommand = {
  summary: "Test that a line server keeps serving clients under attack",
  options,
  examples: [
    ["torture", "Every case against a spawned relay"],
    ["torture --target 127.0.0.1:7 --scale 0.1", "A tenth of the load against a running server"],
    [
      "torture --target 127.0.0.1:6379 --probe 'PING\\r\\n'",
      "A server that replies only to its own commands",
    ],
  ],
} as const;

/** Time in ms until a spawned server must reach zero. */
const ZERO_TIMEOUT = 5000;

/**
 * Runs the suite, and exits with 0 if the server survived every case.
 *
 * @throws {UsageError} If the options contradict each other, or no case has a matching name.
 * @throws {ExitError} If the target does not answer before the first case.
 */
export async function runTorture(values: Values<typeof options>, context: Context): Promise<ExitCode> {
  assertUsable(values);
  using log = await startLog("torture", values, { verbose: false });
  return await logFailure(log, () => runCases(values, log, context));
}

async function runCases(values: Values<typeof options>, log: Log, { onSignal }: Context): Promise<ExitCode> {
  const told = await tlsClient(values);
  assertWritable({ "--junit": values.junit });
  const interrupted = new AbortController();
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  const startedAt = new Date();
  const { own, ca } = values.target === undefined ? await startOwn(values) : {};
  const tls = ca === undefined ? told : { ca };
  const { maxLine, scale, patience, probe } = values;
  const target = own?.addresses[0] ?? values.target!;
  const asked = { target, maxLine, scale, patience, probe, ...(tls === undefined ? {} : { tls }) };
  const process = own ? new TargetProcess([own.pid]) : processOf(values);
  const results: TortureResult[] = [];
  try {
    const greeting = await greetingOf(asked);
    const before = process?.heldResources();
    log.info(`Torturing ${formatAddress(target)}${process ? `, process ${process.pids.join(", ")}` : ""}`);
    for await (
      const result of torture({
        ...asked,
        greeting,
        process: before && process,
        only: values.only,
        caseTimeout: values.caseTimeout,
        random: randomStream(values.seed, "fault"),
        signal: interrupted.signal,
        onCase: (name) => log.info(`${name} …`),
      })
    ) {
      results.push(result);
      if (values.json) log.result(`${result.name}: ${verdictOf(result)}`, { event: "case", ...result });
    }
    const left = own === undefined ? undefined : await whatIsLeft(own);
    const faults = left === undefined ? [] : [`Left in the server: ${left}`];
    const after = before && process?.heldResources();
    if (before !== undefined) faults.push(...memoryFaults(before.memory, after?.memory, mostGrowth(values)));
    const { aborted } = interrupted.signal;
    if (!aborted) {
      await own?.stop();
      if (own?.hung !== undefined) faults.push(`The server ${own.hung} after the last case, and was killed`);
    }
    const missing = caseNames(values.only).length - results.length;
    if (aborted) faults.push(`Interrupted: ${missing} cases were not run`);
    else if (missing > 0) {
      faults.push(
        `The server does not answer since ${
          quoted(results.at(-1)?.name ?? "")
        }: ${missing} cases were not run`,
      );
    }
    const failed = results.filter(({ fault }) => fault !== undefined).length;
    const verdict = failed + faults.length === 0 ? "survived" : "failed";
    log.result(tortureReport({ results, before, faults }), {
      event: "torture",
      verdict,
      cases: results.length,
      failed,
      unjudged: results.filter(({ unjudged }) => unjudged !== undefined).length,
      left: left ?? null,
      faults,
      server: before === undefined ? null : { pids: process?.pids, before, after: after ?? null },
    });
    if (values.junit !== undefined) {
      await writeWhole(values.junit, renderTortureJunit({ results, faults, startedAt }));
    }
    if (interrupted.signal.aborted) return ExitCode.interrupted;
    return verdict === "survived" ? ExitCode.ok : ExitCode.failure;
  } finally {
    await own?.stop();
  }
}

function assertUsable({ only, target, pid, tls, ...values }: Values<typeof options>): void {
  if (caseNames(only).length === 0) {
    throw new UsageError(
      `No case has ${quoted(only)} in its name: expected part of ${caseNames("").join(", ")}`,
    );
  }
  if (target !== undefined) return;
  if (pid !== undefined) throw new UsageError("Cannot use --pid without --target");
  const { tlsCa, tlsCert, tlsKey, tlsServerName } = values;
  if (tls && (tlsCa ?? tlsCert ?? tlsKey ?? tlsServerName) !== undefined) {
    throw new UsageError("Cannot use --tls-ca, --tls-cert, --tls-key, or --tls-server-name without --target");
  }
}

/**
 * Returns the length of the server's greeting in bytes.
 *
 * @throws {ExitError} If it does not answer, because every case would fail for this reason.
 */
async function greetingOf(asked: TortureRigOptions & { readonly tls?: TlsClientOptions }): Promise<number> {
  const { greeting, answer } = await probeTarget(asked);
  if (typeof answer === "number") return greeting;
  const hint = answer.startsWith("no answer") || answer.startsWith("finishes")
    ? ` to ${quoted(asked.probe ?? PROBE)}: set a request that it answers with --probe`
    : answer.startsWith("it speaks TLS")
    ? ": use --tls"
    : "";
  throw new ExitError(
    `Cannot torture ${formatAddress(asked.target)}, which does not serve an honest peer: ${
      printable(answer)
    }${hint}`,
  );
}

function parseProbe(given: string): string {
  try {
    return unescapeText(given);
  } catch (cause) {
    if (cause instanceof ProtocolError) throw new RangeError(cause.message, { cause });
    throw cause;
  }
}

function parseScale(given: string): number {
  const scale = Number(given);
  if (given.trim() === "" || !(scale > 0 && scale <= 10)) throw new RangeError(given);
  return scale;
}

/** @throws {ExitError} If the given process does not exist, or cannot be observed. */
function processOf({ pid, target }: Values<typeof options>): TargetProcess | undefined {
  if (pid === undefined) return target === undefined ? undefined : TargetProcess.find(target);
  const process = new TargetProcess([pid]);
  if (process.heldResources() === undefined) {
    throw new ExitError(`Cannot observe process ${pid}: it does not exist, or belongs to another user`);
  }
  return process;
}

/** Starts the server. With TLS, also returns the authority of its certificate. */
async function startOwn(
  { maxLine, tls, transport }: Values<typeof options>,
): Promise<{ readonly own: SpawnedServer; readonly ca: string | undefined }> {
  const hostnames = ["127.0.0.1"];
  await using identity = tls ? await SelfSigned.create(hostnames) : undefined;
  const own = await SpawnedServer.start({
    command: [
      ...respawnCommand("own-server"),
      ...transportArguments(transport),
      "--max-line",
      `${maxLine}`,
      ...(identity?.serverOptions ?? []),
    ],
    env: FAIR_IO_ENV,
    hostnames,
  });
  return { own, ca: identity?.certificate };
}

/** Returns the allowed memory growth. Runtimes keep memory of ten thousand closed connections, and more with TLS. */
function mostGrowth({ memoryGrowth, tls }: Values<typeof options>): number {
  return memoryGrowth ?? (tls ? 1024 : 512) * MIB;
}

function memoryFaults(before: number, after: number | undefined, most: number): string[] {
  if (after === undefined) return ["The server's process has ended"];
  if (after - before <= most) return [];
  const mib = (bytes: number) => Math.round(bytes / MIB);
  return [
    `The server's memory grew from ${mib(before)} to ${mib(after)} MiB: more than ${
      mib(most)
    } MiB (--memory-growth)`,
  ];
}

/** Describes what the spawned server still holds, or returns `undefined` if that is nothing. */
async function whatIsLeft(own: SpawnedServer): Promise<string | undefined> {
  const state = await own.untilZero(ZERO_TIMEOUT);
  if (state === null) return "the state of the server is unknown: it has ended, or is overloaded";
  const { connections, pending, timers, queuedBytes, descriptors } = state;
  const held = Object.entries({ connections, pending, timers, queuedBytes, descriptors })
    .filter(([, count]) => (count ?? 0) !== 0)
    .map(([name, count]) => `${name} ${count}`);
  return held.length === 0 ? undefined : held.join(", ");
}

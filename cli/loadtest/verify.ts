/** `loadtest.ts verify`: judges the history of a run again. @module */
import { flag, text } from "../args/option.ts";
import type { Command, Values } from "../args/program.ts";
import { type ExitCode, ExitError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { quoted } from "../../internal/printable.ts";
import { plural } from "../../internal/plural.ts";
import { verifyHistoryFile } from "../../loadtest/history/file.ts";
import { HistoryError } from "../../loadtest/history/line_format.ts";
import type { Ledger } from "../../loadtest/ledger/ledger.ts";
import { EXIT_CODES } from "../../loadtest/judge/verdict.ts";
import { describeFlaws } from "../../loadtest/judge/verdict_text.ts";
import { fileError, isFileError } from "../shared/file_error.ts";
import { groupFindings } from "../../loadtest/judge/findings.ts";
import { findingLines, groupLines } from "./finding_lines.ts";
import { jsonOption } from "../shared/output_options.ts";

/** `loadtest.ts verify`. */
export const verifyCommand = {
  summary: "Judge the history of a run again",
  positionals: {
    file: text({ help: "History of a run, from --history", required: true, example: "run.jsonl" }),
  },
  options: {
    all: flag({ help: "Print every finding, one per line, instead of the first of each kind" }),
    ...jsonOption,
  },
  examples: [
    ["verify run.jsonl", "Judge run.jsonl; exit 0 if its verdict is good and confirmed"],
    ["verify run.jsonl --all", "Print all that is wrong"],
    ["verify run.jsonl --json", "Print the result as JSON"],
  ],
} as const satisfies Command;

/**
 * Judges a history; the exit code is the verdict's.
 *
 * @throws {ExitError} If the file cannot be read, or is not a history.
 */
export async function runVerify(
  file: string,
  { all }: Pick<Values<typeof verifyCommand.options>, "all">,
  log: Log,
): Promise<ExitCode> {
  try {
    const options = all ? { described: Infinity } : {};
    const { verdict, judgement, ledger, discrepancies, recorded } = await verifyHistoryFile(file, options);
    const findings = [...discrepancies, ...judgement.findings.map(({ text }) => text)];
    const { clients, acked, lost, underWay } = judgement.counts;
    const scenario = ledger.run.protocol === "scenario";
    const messages = scenario ? plural(ledger.scenario.length, "request") : plural(clients, "message");
    const flaws = describeFlaws({
      ...judgement,
      ...judgement.counts,
      ...(scenario ? { scenario: { notSent: notSentOf(ledger) } } : {}),
      server: ledger.facts.server,
    });
    const counted = `${acked} of ${messages} ${scenario ? "answered as expected" : "acknowledged"}`;
    const result = verdict === "failed" && flaws.length > 0
      ? `${flaws.join(", ")}; ${counted}`
      : [counted, ...flaws].join(", ");
    const { cause } = judgement;
    const sentences = cause === undefined || cause.kind === "unreachable" ? [result] : [cause.text, result];
    const groups = groupFindings(judgement);
    log.result(
      [
        `${verdict.toUpperCase()}: ${sentences.join("\n  ")}`,
        ...(recorded !== undefined && discrepancies.length === 0
          ? ["  The recorded verdict is the same"]
          : []),
        ...discrepancies.map((text) => `  ${text}`),
        ...(all
          ? groupLines([groups.own, groups.following])
          : findingLines(judgement, { where: "--all", all: true })),
      ].join("\n"),
      {
        event: "verified",
        verdict,
        recorded: recorded?.verdict ?? null,
        cause: cause ?? null,
        clients,
        acked,
        lost,
        underWay,
        findings,
      },
    );
    return EXIT_CODES[verdict];
  } catch (cause) {
    if (cause instanceof HistoryError) {
      throw new ExitError(`Cannot judge ${file}: ${cause.message}`, { cause });
    }
    throw isFileError(cause) ? fileError(`judge ${quoted(file)}`, cause) : cause;
  }
}

/** Returns the number of planned messages of a scenario that were not sent. */
function notSentOf({ scenario }: Ledger): number {
  return scenario.shapes.reduce((sum, { notSent }) => sum + notSent, 0);
}

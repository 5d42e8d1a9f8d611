/** Formats the results of a torture run as text. @module */
import { plural } from "../../../internal/plural.ts";
import { printable } from "../../../internal/printable.ts";
import { formatTable } from "../../terminal/table.ts";
import type { HeldResources } from "../../../loadtest/torture/target_process.ts";
import type { TortureResult } from "../../../loadtest/torture/torture.ts";

/** The results to format with {@linkcode tortureReport}. */
export interface TortureOutcome {
  readonly results: readonly TortureResult[];
  /** Resources of the server's processes before the first case; `undefined` if they were not observed. */
  readonly before: HeldResources | undefined;
  /** Faults that were found after all cases. */
  readonly faults: readonly string[];
}

const MIB = 1024 * 1024;

/** Formats the verdict, a table of the cases, further faults, and a note about what was not observed. */
export function tortureReport({ results, before, faults }: TortureOutcome): string {
  const table = formatTable({
    head: ["case", "verdict", "ms", "honest peer ms", ...(before ? ["sockets", "MiB"] : []), "observation"],
    rows: results.map((result) => [
      result.name,
      verdictOf(result),
      Math.round(result.ms),
      result.probeMs === null ? "-" : Math.round(result.probeMs),
      ...(before ? [result.sockets ?? "-", result.memory === undefined ? "-" : inMib(result.memory)] : []),
      wordsOf(result),
    ]),
  });
  const looked = before === undefined
    ? "The memory and sockets of the server were not measured: its process is unknown (--pid)"
    : `Before the first case, the server held ${before.sockets} sockets and ${inMib(before.memory)} MiB`;
  const lines = faults.map((fault) => `FAILED: ${fault}`);
  return [headlineOf(results, faults), "", table, looked, ...lines].join("\n");
}

function headlineOf(results: readonly TortureResult[], faults: readonly string[]): string {
  const failed = results.filter(({ fault }) => fault !== undefined).length;
  const unjudged = results.filter(({ unjudged }) => unjudged !== undefined).length;
  const judged = unjudged === 0 ? "" : `, ${unjudged} not judged`;
  if (failed + faults.length === 0) {
    return `SURVIVED: ${
      plural(results.length, "case")
    }${judged}; the server served an honest peer after each`;
  }
  const more = faults.length === 0 ? "" : `, and ${plural(faults.length, "fault")} after the cases`;
  return `FAILED: ${failed} of ${plural(results.length, "case")} failed${judged}${more}`;
}

function inMib(bytes: number): number {
  return Math.round(bytes / MIB);
}

/** Returns the verdict on a case in one or two words. */
export function verdictOf({ fault, unjudged }: TortureResult): string {
  if (fault !== undefined) return "FAILED";
  return unjudged === undefined ? "survived" : "not judged";
}

function wordsOf({ fault, unjudged, saw }: TortureResult): string {
  const verdict = fault ?? unjudged;
  if (verdict === undefined) return printable(saw);
  return printable(saw === "" ? verdict : `${verdict} (${saw})`);
}

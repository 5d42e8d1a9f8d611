/** What came of a torture, for people. @module */
import { printable } from "../../internal/printable.ts";
import { formatTable } from "../terminal/table.ts";
import type { HeldResources } from "../../loadtest/torture/target_process.ts";
import type { TortureResult } from "../../loadtest/torture/torture.ts";

/** What {@linkcode tortureReport} tells. */
export interface TortureOutcome {
  readonly results: readonly TortureResult[];
  /** What the server's processes held before the first case; `undefined` where they were not looked at. */
  readonly before: HeldResources | undefined;
  /** What is wrong besides, at the end of all cases. */
  readonly faults: readonly string[];
}

const MIB = 1024 * 1024;

/** A table of the cases, what is wrong besides, and what could not be looked at. */
export function tortureReport({ results, before, faults }: TortureOutcome): string {
  const table = formatTable({
    head: ["case", "verdict", "ms", "honest peer ms", ...(before ? ["sockets", "MiB"] : []), "what was seen"],
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
    ? "The server's memory and sockets were not looked at: its process is not known (--pid)"
    : `Before all that the server held ${before.sockets} sockets and ${inMib(before.memory)} MiB`;
  return [table, looked, ...faults.map((fault) => `FAILED: ${fault}`)].join("\n");
}

function inMib(bytes: number): number {
  return Math.round(bytes / MIB);
}

function verdictOf({ fault, unjudged }: TortureResult): string {
  if (fault !== undefined) return "FAILED";
  return unjudged === undefined ? "survived" : "not judged";
}

function wordsOf({ fault, unjudged, saw }: TortureResult): string {
  const verdict = fault ?? unjudged;
  if (verdict === undefined) return printable(saw);
  return printable(saw === "" ? verdict : `${verdict} (${saw})`);
}

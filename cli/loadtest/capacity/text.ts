/** The texts of a capacity search. @module */
import type { CapacityStep } from "../../../loadtest/capacity/search.ts";
import { formatDuration } from "../../../internal/duration.ts";
import { formatTable } from "../../terminal/table.ts";
import type { MeasuredLevel } from "./level.ts";

const STEPS: Readonly<Record<CapacityStep, string>> = {
  doubling: "twice as much",
  halving: "half as much",
  bisecting: "between the highest rate that held and the lowest that did not",
  confirming: "longer, to confirm it",
  repeating: "again, because the generator was too slow",
};

/** Announces a level: `Trying 200 messages/s for 5s: twice as much`. */
export function describeTry(
  { rate, unit, step, length, first }: {
    readonly rate: number;
    readonly unit: string;
    readonly step: CapacityStep;
    /** In ms. */
    readonly length: number;
    readonly first: boolean;
  },
): string {
  const why = first ? "the first rate" : STEPS[step];
  return `Trying ${rate.toLocaleString("en")} ${unit}/s for ${formatDuration(length)}: ${why}`;
}

/** Describes a finished level: `200 messages/s held: p50 0.3 ms, p99 1.2 ms`. */
export function describeLevel({ rate, result, why, p50, p99 }: MeasuredLevel, unit: string): string {
  const what = `${rate.toLocaleString("en")} ${unit}/s`;
  switch (result) {
    case "held":
      return `${what} held: p50 ${inMs(p50)} ms, p99 ${inMs(p99)} ms`;
    case "failed":
      return `${what} failed: ${why}`;
    case "invalid":
      return `${what} was too much for the generator: ${why}`;
    case "network":
      return `${what} was too much for the ports or the network: ${why}`;
  }
}

/** Formats all levels. */
export function levelTable(levels: readonly MeasuredLevel[]): string {
  return formatTable({
    head: ["rate, 1/s", "answered, 1/s", "p50, ms", "p99, ms", "result"],
    rows: levels.map(({ rate, perSecond, p50, p99, result, confirms }) => [
      rate,
      perSecond,
      inMs(p50),
      inMs(p99),
      `${result}${confirms ? " (longer run)" : ""}`,
    ]),
  });
}

function inMs(value: number | null): string {
  return value === null ? "-" : value.toFixed(1);
}

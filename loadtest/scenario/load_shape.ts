/** Load shapes: how many messages on each connection, or at which rate. Instants are drawn from the seed. Pure. @module */
import type { Random } from "../../internal/clock.ts";
import { formatDuration, parseDuration } from "../../internal/duration.ts";
import { quoted } from "../../internal/printable.ts";

/** A part of a run in which the rate stays, or changes evenly. */
export interface Stage {
  /** In ms. */
  readonly duration: number;
  /** Starts per second, at the beginning and at the end. */
  readonly from: number;
  readonly to: number;
}

/** The messages of a run; plain data. Without stages the model is closed: a reply makes room for the next message. */
export interface LoadShape {
  /** Messages on each connection, without stages. Default 1, or as many as the duration allows. */
  readonly messages?: number;
  /** Messages without a reply on each connection. Default 1 without stages, and unlimited with them. */
  readonly inFlight?: number;
  /** Pause between two messages, without stages, in ms. Default 0. */
  readonly think?: number;
  /** When no more messages start, without stages, in ms from the start of the run. Default: when all are sent. */
  readonly duration?: number;
  /** The rate of messages on all connections together. */
  readonly stages?: readonly Stage[];
  /** Requests due before this, in ms, are proven and not measured. Default: 0. */
  readonly warmup?: number;
}

/** The notation of {@linkcode parseRate}. */
export const RATE_NOTATION = "a rate such as 500/s or 30000/m";
/** The notation of {@linkcode parseStages}. */
export const STAGES_NOTATION = "stages such as 30s:0→500/s, 5m:500/s (or 0->500/s)";

const RATE = /^(\d+(?:\.\d+)?)(?:\/(s|m|h))?$/;
const PER = { s: 1, m: 60, h: 3600 } as const;

/**
 * Parses a rate into starts per second.
 *
 * @throws {RangeError} If `text` is not a rate above 0.
 */
export function parseRate(text: string): number {
  const rate = rateOf(text);
  if (rate > 0) return rate;
  throw new RangeError(`Expected ${RATE_NOTATION}, got ${quoted(text)}`);
}

/**
 * Parses stages.
 *
 * @throws {RangeError} If `text` is not a list of stages, or nothing starts in any of them.
 *
 * @example
 * ```ts
 * import { parseStages } from "./load_shape.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseStages("30s:0→500/s, 5m:500/s"), [
 *   { duration: 30_000, from: 0, to: 500 },
 *   { duration: 300_000, from: 500, to: 500 },
 * ]);
 * ```
 */
export function parseStages(text: string): Stage[] {
  const stages = text.split(",").map((part): Stage => {
    const [, duration = "", rates = ""] = /^\s*([^:\s]+)\s*:\s*(.+?)\s*$/.exec(part) ?? [];
    const [from = "", to, more] = rates.split(/\s*(?:→|->)\s*/);
    const unit = /\/[smh]$/.exec(rates)?.[0] ?? "/s";
    const ends = { from: rateOf(from.includes("/") ? from : from + unit), to: rateOf(to ?? (from || "?")) };
    if (duration === "" || more !== undefined || Number.isNaN(ends.from + ends.to)) {
      throw new RangeError(`Expected ${STAGES_NOTATION}, got ${quoted(text)}`);
    }
    return { duration: parseDuration(duration), ...ends };
  });
  if (countStarts(stages) < 1) {
    throw new RangeError(`Expected at least one start in the stages ${quoted(text)}`);
  }
  return stages;
}

/** Stages as {@linkcode parseStages} reads them. */
export function formatStages(stages: readonly Stage[]): string {
  return stages.map(({ duration, from, to }) =>
    `${formatDuration(duration)}:${from === to ? "" : `${Number(from.toFixed(3))}→`}${
      Number(to.toFixed(3))
    }/s`
  ).join(", ");
}

/** Returns the number of starts of the stages. */
export function countStarts(stages: readonly Stage[]): number {
  return Math.round(stages.reduce((sum, stage) => sum + startsIn(stage), 0));
}

/** Returns the duration of the stages, in ms. */
export function lengthOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, { duration }) => sum + duration, 0);
}

/** Most starts per second. */
export function highestRate(stages: readonly Stage[]): number {
  return Math.max(...stages.map(({ from, to }) => Math.max(from, to)));
}

/**
 * The instants of `count` starts, ascending, in ms from the start of the run: those of a Poisson process whose rate
 * follows the stages, given their total number.
 */
export function drawInstants(
  stages: readonly Stage[],
  { random, count = countStarts(stages) }: { readonly random: Random; readonly count?: number },
): Float64Array {
  const total = stages.reduce((sum, stage) => sum + startsIn(stage), 0);
  const places = new Float64Array(count).map(() => random() * total).sort();
  let stage = 0;
  let startsBefore = 0;
  let begin = 0;
  return places.map((place) => {
    while (stage < stages.length - 1 && place > startsBefore + startsIn(stages[stage]!)) {
      startsBefore += startsIn(stages[stage]!);
      begin += stages[stage]!.duration;
      stage++;
    }
    return begin + instantIn(stages[stage]!, place - startsBefore);
  });
}

function startsIn({ duration, from, to }: Stage): number {
  return duration * (from + to) / 2000;
}

/** Returns the time at which this number of starts have happened: the inverse of the integral of the rate. */
function instantIn({ duration, from, to }: Stage, starts: number): number {
  const slope = (to - from) / duration;
  if (slope === 0) return from === 0 ? 0 : 1000 * starts / from;
  const root = Math.sqrt(Math.max(0, from ** 2 + 2000 * slope * starts));
  return Math.min(duration, Math.max(0, (root - from) / slope));
}

function rateOf(text: string): number {
  const [, amount, unit = "s"] = RATE.exec(text.trim()) ?? [];
  return amount === undefined ? NaN : Number(amount) / PER[unit as keyof typeof PER];
}

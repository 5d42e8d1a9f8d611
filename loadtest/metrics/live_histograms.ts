/** Durations of a run while it goes on, for thresholds that can stop it. Pure. @module */
import type { HistoryEvent } from "../history/events.ts";
import { LatencyHistogram } from "./latency.ts";

/** Histograms by name, each in its encoded form. */
export type EncodedHistograms = Readonly<Record<string, string>>;

/**
 * Records the durations that thresholds ask for: `latency` (from the actual start or from sending), `fromPlanned`,
 * `connect`, `step.NAME`, and `metric.NAME`.
 *
 * @example
 * ```ts
 * import { LiveHistograms, mergeHistograms } from "./live_histograms.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const live = new LiveHistograms(["step.GET"]);
 * live.record({ event: "ask", client: 0, at: 30, ask: 0, step: "GET", due: 5, sent: 10 });
 * live.record({ event: "ask", client: 0, at: 99, ask: 1, step: "PUT", due: 5, sent: 10 });
 * assertEquals(mergeHistograms([live.encode()]).get("step.GET")?.count, 1);
 * ```
 */
export class LiveHistograms {
  readonly #histograms: ReadonlyMap<string, LatencyHistogram>;
  readonly #warmup: number;
  /** When clients of a built-in protocol started, and when they were to start, until they have their ok. */
  readonly #waiting = new Map<number, { readonly startedAt: number; readonly dueAt: number }>();
  readonly #planned = new Map<number, number>();

  /**
   * @param names The histograms to record
   * @param options.warmup Requests that were due before this, in ms, are not recorded. Default 0
   */
  constructor(names: readonly string[], { warmup = 0 }: { readonly warmup?: number } = {}) {
    this.#histograms = new Map(names.map((name) => [name, new LatencyHistogram()]));
    this.#warmup = warmup;
  }

  /** Whether it records anything. */
  get records(): boolean {
    return this.#histograms.size > 0;
  }

  record(event: HistoryEvent): void {
    if (!this.records) return;
    switch (event.event) {
      case "ask":
        if (event.result !== undefined && event.result !== "ok") return;
        if (event.due < this.#warmup) return;
        this.#add("latency", event.at - event.sent, event.count);
        this.#add("fromPlanned", event.at - event.due, event.count);
        return this.#add(`step.${event.step}`, event.at - event.sent, event.count);
      case "metric":
        return this.#add(`metric.${event.name}`, event.value);
      case "connect":
        return this.#add("connect", event.took);
      case "planned":
        this.#planned.set(event.client, event.at);
        return;
      case "start":
        this.#waiting.set(event.client, {
          startedAt: event.at,
          dueAt: event.due ?? this.#planned.get(event.client) ?? event.at,
        });
        this.#planned.delete(event.client);
        return;
      case "ack": {
        const waiting = event.message === event.client ? this.#waiting.get(event.client) : undefined;
        if (waiting === undefined) return;
        this.#waiting.delete(event.client);
        this.#add("latency", event.at - waiting.startedAt);
        return this.#add("fromPlanned", event.at - waiting.dueAt);
      }
    }
  }

  encode(): EncodedHistograms {
    return encodeHistograms(this.#histograms);
  }

  #add(name: string, value: number, count?: number): void {
    this.#histograms.get(name)?.record(value, count);
  }
}

/** Encodes histograms, to be sent to another process. */
export function encodeHistograms(histograms: ReadonlyMap<string, LatencyHistogram>): EncodedHistograms {
  return Object.fromEntries([...histograms].map(([name, histogram]) => [name, histogram.encode()]));
}

/** Adds up the histograms of several processes. */
export function mergeHistograms(parts: readonly EncodedHistograms[]): Map<string, LatencyHistogram> {
  const merged = new Map<string, LatencyHistogram>();
  for (const part of parts) {
    for (const [name, encoded] of Object.entries(part)) {
      const histogram = merged.get(name) ?? new LatencyHistogram();
      merged.set(name, histogram);
      histogram.mergeEncoded(encoded);
    }
  }
  return merged;
}

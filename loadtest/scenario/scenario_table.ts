/** The account of a scenario: every request in typed arrays; checks, metrics, and sessions counted. Pure. @module */
import type { FindingKind, Findings } from "../judge/findings.ts";
import { Column } from "../ledger/typed_column.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { isCutOff } from "./session/texts.ts";
import {
  ASK_RESULTS,
  type AskEvent,
  type AskResult,
  type ScenarioEvent,
  type SessionEvent,
  type ShapeEvent,
} from "./events.ts";

/** {@linkcode ScenarioTable} as plain data. */
export interface ScenarioTableSnapshot {
  readonly steps: readonly string[];
  readonly step: Uint8Array<ArrayBuffer>;
  readonly result: Uint8Array<ArrayBuffer>;
  readonly due: Float64Array<ArrayBuffer>;
  readonly sent: Float64Array<ArrayBuffer>;
  readonly endedAt: Float64Array<ArrayBuffer>;
  readonly checks: readonly (readonly [name: string, counts: CheckCounts])[];
  readonly metrics: readonly (readonly [name: string, histogram: string])[];
  readonly sessions: readonly (readonly [result: SessionEvent["result"], count: number])[];
  readonly ended: readonly number[];
  readonly unfinished: readonly number[];
  readonly shapes: readonly ShapeEvent[];
  readonly frames: FrameCounts;
  readonly cut: number;
}

/** Counts of a check. */
export interface CheckCounts {
  /** Number of times that it held. */
  readonly passed: number;
  /** Number of times that it did not hold. */
  readonly failed: number;
}

/** Frames that were no requests or replies: sent by `send`, and taken by a handler of `on`. */
export interface FrameCounts {
  readonly pushed: number;
  readonly handled: number;
}

/** The findings that the outcomes of requests lead to. */
const FINDINGS: Readonly<Record<Exclude<AskResult, "ok">, FindingKind>> = {
  wrong: "wrong",
  truncated: "truncated",
  foreign: "foreign",
  lost: "lost",
  "under-way": "under-way",
};

/** Most distinct names of checks and metrics, because a scenario that generates names must not fill the memory. */
const MOST_NAMES = 256;

/** Requests by row, in the order in which they ended. */
export class ScenarioTable {
  readonly steps: string[] = [];
  readonly step: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  readonly #result: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  readonly due: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  readonly sent: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  readonly endedAt: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  readonly checks: Map<string, CheckCounts> = new Map();
  readonly metrics: Map<string, LatencyHistogram> = new Map();
  readonly sessions: Map<SessionEvent["result"], number> = new Map();
  /** Clients whose session is over. */
  readonly ended: Set<number> = new Set();
  /** Those among them that the end of the run interrupted. */
  readonly unfinished: Set<number> = new Set();
  readonly shapes: ShapeEvent[] = [];
  readonly #frames = { pushed: 0, handled: 0 };
  #cut = 0;
  readonly #stepIds = new Map<string, number>();
  /** The highest number of an answered request, by client. */
  readonly #order = new Map<number, number>();
  readonly #counts = new Float64Array(ASK_RESULTS.length);
  readonly #ordered: boolean;
  readonly #findings: Findings;

  /**
   * @param options.findings Receives what is wrong.
   * @param options.ordered Whether the replies of a connection must arrive in the order of its requests.
   */
  constructor({ findings, ordered }: { readonly findings: Findings; readonly ordered: boolean }) {
    this.#findings = findings;
    this.#ordered = ordered;
  }

  /** Requests that are over. */
  get length(): number {
    return this.due.length;
  }

  get frames(): FrameCounts {
    return this.#frames;
  }

  /** Lost requests whose connection the server, or the network, ended first. */
  get cut(): number {
    return this.#cut;
  }

  /** Returns the number of requests with this result. */
  count(result: AskResult): number {
    return this.#counts[ASK_RESULTS.indexOf(result)] ?? 0;
  }

  /** Whether the request at `row` was answered as expected. */
  isOk(row: number): boolean {
    return this.#result.at(row) === 0;
  }

  resultOf(row: number): AskResult {
    return ASK_RESULTS[this.#result.at(row)] ?? "ok";
  }

  /** Books an event; `who` describes its client. */
  record(event: ScenarioEvent, who: () => string): void {
    switch (event.event) {
      case "ask":
        return this.#ask(event, who);
      case "frame":
        if (event.kind === "handled") this.#frames.handled++;
        else {this.#findings.add(event.kind, () =>
            event.kind === "duplicate"
              ? `${who()} got a reply twice: ${event.text}`
              : `${who()} got ${event.text}, which nothing expected`);}
        return;
      case "push":
        this.#frames.pushed++;
        return;
      case "check":
        return this.#check(event.name, event.ok, who);
      case "metric":
        return this.#metric(event.name).record(event.value);
      case "session":
        return this.#session(event, who);
    }
  }

  recordShape(event: ShapeEvent): void {
    this.shapes.push(event);
  }

  snapshot(): ScenarioTableSnapshot {
    return {
      steps: this.steps,
      step: this.step.toArray(),
      result: this.#result.toArray(),
      due: this.due.toArray(),
      sent: this.sent.toArray(),
      endedAt: this.endedAt.toArray(),
      checks: [...this.checks],
      metrics: [...this.metrics].map(([name, histogram]) => [name, histogram.encode()] as const),
      sessions: [...this.sessions],
      ended: [...this.ended],
      unfinished: [...this.unfinished],
      shapes: this.shapes,
      frames: this.#frames,
      cut: this.#cut,
    };
  }

  /** Adds the account of other clients. */
  absorb(other: ScenarioTableSnapshot): void {
    const ids = other.steps.map((name) => this.#stepId(name));
    this.step.append(other.step.map((id) => ids[id] ?? id));
    this.#result.append(other.result);
    for (const result of other.result) this.#counts[result] = (this.#counts[result] ?? 0) + 1;
    this.due.append(other.due);
    this.sent.append(other.sent);
    this.endedAt.append(other.endedAt);
    for (const [name, { passed, failed }] of other.checks) {
      const counts = this.checks.get(name) ?? { passed: 0, failed: 0 };
      this.checks.set(name, { passed: counts.passed + passed, failed: counts.failed + failed });
    }
    for (const [name, histogram] of other.metrics) this.#metric(name).mergeEncoded(histogram);
    for (const [result, count] of other.sessions) {
      this.sessions.set(result, count + (this.sessions.get(result) ?? 0));
    }
    for (const client of other.ended) this.ended.add(client);
    for (const client of other.unfinished) this.unfinished.add(client);
    this.shapes.push(...other.shapes);
    this.#frames.pushed += other.frames.pushed;
    this.#frames.handled += other.frames.handled;
    this.#cut += other.cut;
  }

  #ask(event: AskEvent, who: () => string): void {
    const { client, ask, count = 1, step, due, sent, at, result = "ok", detail } = event;
    const code = ASK_RESULTS.indexOf(result);
    this.step.pushTimes(this.#stepId(step), count);
    this.#result.pushTimes(code, count);
    this.due.pushTimes(toMicroseconds(due), count);
    this.sent.pushTimes(toMicroseconds(sent), count);
    this.endedAt.pushTimes(toMicroseconds(at), count);
    this.#counts[code] = (this.#counts[code] ?? 0) + count;
    if (result !== "ok") {
      if (result === "lost" && isCutOff(detail)) this.#cut += count;
      this.#findings.add(FINDINGS[result], () => `${who()}, request ${ask} (${step}): ${detail ?? result}`);
      return;
    }
    if (!this.#ordered) return;
    const answered = this.#order.get(client) ?? -1;
    const last = ask + count - 1;
    if (last > answered) this.#order.set(client, last);
    for (let late = ask; late <= Math.min(last, answered); late++) {
      this.#findings.add("reordered", () => {
        return `${who()} got the reply to request ${late} (${step}) after that to request ${answered}`;
      });
    }
  }

  #check(name: string, ok: boolean, who: () => string): void {
    const known = this.checks.size < MOST_NAMES || this.checks.has(name) ? name : "other checks";
    const { passed, failed } = this.checks.get(known) ?? { passed: 0, failed: 0 };
    this.checks.set(known, ok ? { passed: passed + 1, failed } : { passed, failed: failed + 1 });
    if (!ok) this.#findings.add("check", () => `${who()}: the check "${name}" did not hold`);
  }

  #metric(name: string): LatencyHistogram {
    const known = this.metrics.size < MOST_NAMES || this.metrics.has(name) ? name : "other";
    const histogram = this.metrics.get(known) ?? new LatencyHistogram();
    this.metrics.set(known, histogram);
    return histogram;
  }

  #session({ client, result, detail }: SessionEvent, who: () => string): void {
    this.ended.add(client);
    this.sessions.set(result, 1 + (this.sessions.get(result) ?? 0));
    if (result === "threw") this.#findings.add("scenario", () => `${who()}: the scenario ${detail}`);
    else if (result === "failed" && detail !== undefined) {
      this.#findings.add("unnatural", () => `${who()} ended its session early: ${detail}`);
    } else if (result === "unfinished") {
      this.unfinished.add(client);
      this.#findings.add("under-way", () => `${who()} was not done when the run ended: ${detail}`);
    }
  }

  #stepId(name: string): number {
    const known = this.#stepIds.get(name);
    if (known !== undefined) return known;
    // Generators merge names beyond 64; the steps of many processes could still be more.
    const id = Math.min(this.steps.length, 254);
    if (this.steps[id] === undefined) this.steps.push(id === 254 ? "other requests" : name);
    this.#stepIds.set(name, id);
    return id;
  }
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Metrics and spans for OpenTelemetry. Loaded only when Deno runs with `OTEL_DENO=true`. @module */
import {
  type Histogram,
  type Meter,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { CloseReason } from "../../socket/errors.ts";
import { describeCloseReason } from "../../socket/errors.ts";
import { DurationHistogram, unitsToMs } from "../../internal/duration_histogram.ts";
import { printable } from "../../internal/printable.ts";
import type { ListedConnection } from "../connection_row.ts";
import type { BuildInfo } from "../metrics/process_metrics.ts";
import type { LiveFeed } from "../target.ts";
import { BOUNDS, type MetricName, type MetricSet } from "../metrics/metric_set.ts";
import { MetricExport } from "./metric_export.ts";
import { isSampled } from "./sampling.ts";

/** Options for {@linkcode Telemetry}. */
export interface TelemetryOptions extends BuildInfo {
  /** The part of connections and messages that have spans, from 0 to 1. */
  readonly ratio: number;
  /** Draws which connections and messages: the same seed and the same names give the same. */
  readonly seed: number;
  /** ms since 1970. Default: of this process. */
  readonly now?: () => number;
}

/** Sampled messages without an ok; further ones are not traced. */
const MOST_OPEN = 1000;

interface OpenMessage {
  readonly begin: number;
  readonly connection: ListedConnection;
}

/** Exports metrics, and spans of sampled connections and messages, through OpenTelemetry. */
export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #tracer: Tracer;
  readonly #now: () => number;
  /** By their text: a relay sends one ok for all senders of a text, and the first of them has the span. */
  readonly #open = new Map<string, OpenMessage>();

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#tracer = trace.getTracer("okline", options.version);
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
  }

  /**
   * Creates a histogram of durations whose records are exported in seconds, with the buckets of Prometheus. A record costs
   * 70 ns more: OpenTelemetry has no histogram whose counts are set, as the values of counters and gauges are.
   */
  durations({ name, help }: MetricName): DurationHistogram {
    return new ExportedDurations(this.#meter.createHistogram(name, {
      description: help,
      unit: "s",
      advice: { explicitBucketBoundaries: BOUNDS.map((ms) => ms / 1000) },
    }));
  }

  /** Exports the counters and gauges of a set. They are read once per second of `feed`, and when the result is disposed of. */
  export(set: MetricSet, feed: Pick<LiveFeed, "subscribe">): Disposable {
    const exported = new MetricExport(this.#meter, set.readings);
    exported.update();
    const subscription = feed.subscribe(() => exported.update());
    return {
      [Symbol.dispose]() {
        subscription[Symbol.dispose]();
        exported.update();
      },
    };
  }

  /** Makes the span of a connection that has closed, if it is sampled. */
  connectionClosed(connection: ListedConnection, reason: CloseReason, epoch: number): void {
    const { seed, ratio } = this.#options;
    const { id, remote } = connection;
    if (!isSampled(`connection ${id}`, { seed, ratio })) return;
    const { openedAt, bytesIn, bytesOut, framesIn, framesOut } = connection.stats();
    const span = this.#tracer.startSpan("connection", {
      kind: SpanKind.SERVER,
      startTime: epoch + openedAt,
      attributes: {
        "client.address": printable(remote.hostname),
        "client.port": remote.port,
        "okline.connection": id,
        "okline.close_reason": reason.type,
        "okline.bytes_in": bytesIn,
        "okline.bytes_out": bytesOut,
        "okline.frames_in": framesIn,
        "okline.frames_out": framesOut,
      },
    });
    if (reason.type === "handler-failed") {
      span.setStatus({ code: SpanStatusCode.ERROR, message: printable(describeCloseReason(reason)) });
    }
    span.end(this.#now());
    for (const [text, message] of this.#open) {
      if (message.connection === connection) this.#end(text, message, "its sender has closed");
    }
  }

  /** A relay received a line. */
  received(connection: ListedConnection, line: string): void {
    // Most lines are not sampled: only of those that are, the text is cut out and looked up.
    if (!line.startsWith(MESSAGE) || !isSampled(line, this.#options, MESSAGE.length)) return;
    const text = line.slice(MESSAGE.length);
    if (this.#open.size >= MOST_OPEN || this.#open.has(text)) return;
    this.#open.set(text, { begin: this.#now(), connection });
  }

  /** A relay sent a line. */
  sent(connection: ListedConnection, line: string): void {
    if (this.#open.size === 0 || !line.startsWith(OK)) return;
    if (!isSampled(line, this.#options, OK.length)) return;
    const text = line.slice(OK.length);
    const message = this.#open.get(text);
    if (message?.connection === connection) this.#end(text, message);
  }

  get #meter(): Meter {
    return metrics.getMeter("okline", this.#options.version);
  }

  #end(text: string, { begin, connection }: OpenMessage, failure?: string): void {
    this.#open.delete(text);
    const span = this.#tracer.startSpan("message", {
      kind: SpanKind.SERVER,
      startTime: begin,
      attributes: { "okline.connection": connection.id, "okline.message_length": text.length },
    });
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(this.#now());
  }
}

/** A histogram that records to OpenTelemetry, too. */
class ExportedDurations extends DurationHistogram {
  readonly #instrument: Histogram;

  constructor(instrument: Histogram) {
    super();
    this.#instrument = instrument;
  }

  override recordUnits(difference: number): void {
    super.recordUnits(difference);
    this.#instrument.record(unitsToMs(difference) / 1000);
  }
}

const MESSAGE = "message ";
const OK = "ok ";

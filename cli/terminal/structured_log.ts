/** Log messages with levels and fields, as text or as JSON lines; repeats are limited. Takes time to load. @module */
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getThrottlingFilter,
  type LogRecord,
  resetSync,
  type Sink,
  type ThrottlingFilterSummary,
  type ThrottlingFilterSummaryOptions,
} from "@logtape/logtape";
import { type LogWriter, TextLogWriter } from "./log.ts";
import { literally, type LogLevel } from "./log_message.ts";
import { escapeUnsafe, lineWriter, type Sink as ByteSink } from "./write.ts";

/** Options for {@linkcode startStructuredLog}. */
export interface StructuredLogOptions {
  /** The program, such as `server`: messages have the category `okline.server`. */
  readonly program: string;
  readonly format: "text" | "json";
  /** The lowest level that is written. */
  readonly level: LogLevel;
  /** Default `Deno.stderr`. */
  readonly stderr?: ByteSink;
  /** Never use colors. Default: whether `NO_COLOR` is set. */
  readonly noColor?: boolean;
  /** Returns the time in ms, for the limit of repeats. Default `Date.now`. */
  readonly now?: () => number;
}

/** Messages with the same template that are written within {@linkcode WINDOW}; further ones are only counted. */
const REPEATS = 5;
const WINDOW = 10_000;

/**
 * Configures LogTape for this process, and returns the writer of a `Log`. Code that logs with LogTape in the category `okline`
 * is written the same way.
 *
 * Disposing of it reports the repeats that were left out last.
 */
export function startStructuredLog(options: StructuredLogOptions): LogWriter & Disposable {
  const { program, level, now = Date.now } = options;
  const sink = sinkOf(options);
  const repeats = getThrottlingFilter({
    limit: REPEATS,
    windowMs: WINDOW,
    clock: now,
    summary: {
      logger: summaryLogger(sink),
      level: ({ lastRecord }) => lastRecord.level,
      message: describeRepeats,
    },
  });
  // Disposing of the filter reports what it has left out; it starts again with the next message.
  const report = (): void => Reflect.get(repeats, Symbol.dispose)?.call(repeats);
  configureSync({
    reset: true,
    sinks: { stderr: sink },
    filters: { repeats: (record) => isExempt(record) || repeats(record) },
    loggers: [
      { category: "okline", lowestLevel: level, sinks: ["stderr"], filters: ["repeats"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  const timer = setInterval(report, WINDOW);
  Deno.unrefTimer(timer);
  const logger = getLogger(["okline", program]);
  const access = logger.getChild(ACCESS);
  return {
    lowest: level,
    write(level, template, fields, { all = false } = {}) {
      // Without fields, braces stand for themselves.
      (all ? access : logger)[level](fields === undefined ? literally(template) : template, { ...fields });
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      report();
      resetSync();
    },
  };
}

const ACCESS = "access";

/** Whether every message is written, because it was asked for. */
function isExempt({ level, category }: LogRecord): boolean {
  return level === "debug" || category.at(-1) === ACCESS;
}

function sinkOf({ format, stderr = Deno.stderr, noColor }: StructuredLogOptions): Sink {
  if (format === "text") {
    const writer = new TextLogWriter({
      stderr,
      lowest: "debug",
      ...(noColor === undefined ? {} : { noColor }),
    });
    return ({ level, message }) => writer.write(levelOf(level), textOf(message));
  }
  const print = lineWriter(stderr);
  const toJson = getJsonLinesFormatter({ properties: "flatten" });
  return (record) => {
    const { message, properties } = record;
    const line = toJson({
      ...record,
      message: [textOf(message)],
      properties: { pid: Deno.pid, ...properties },
    });
    print(escapeUnsafe(line.trimEnd()));
  };
}

/** Returns the text of a message. Values are between the constant parts, and are written as they are. */
function textOf(message: readonly unknown[]): string {
  return message.map(String).join("");
}

/** LogTape has more levels. */
function levelOf(level: LogRecord["level"]): LogLevel {
  return level === "trace" ? "debug" : level === "fatal" ? "error" : level;
}

function describeRepeats({ suppressed, lastRecord }: ThrottlingFilterSummary): string {
  return `Left out ${suppressed.toLocaleString("en")} more like: ${textOf(lastRecord.message)}`;
}

/** Writes summaries to a sink, because the filter would count them, too. */
function summaryLogger(sink: Sink): ThrottlingFilterSummaryOptions["logger"] {
  const write = (level: LogRecord["level"]) => (text: string, { suppressed }: Record<string, unknown>) =>
    sink({
      category: ["okline"],
      level,
      message: [text],
      rawMessage: text,
      timestamp: Date.now(),
      properties: { suppressed },
    });
  return { info: write("info"), warning: write("warning"), error: write("error") };
}

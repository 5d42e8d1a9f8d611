/** Progress of a long run: a bar on a terminal, otherwise a line at intervals. @module */
import { type Sink, writeLine, writeText } from "./write.ts";

/** Options for {@linkcode startProgress}. */
export interface ProgressOptions {
  /** The total, in any unit. */
  readonly total: number;
  /** Shows nothing. Default: `false`. */
  readonly quiet?: boolean;
  /** Least time between two lines without a terminal, in ms. Default: 5,000. */
  readonly lineInterval?: number;
  /** Default: `Deno.stderr`, because stdout is for results. */
  readonly sink?: Sink;
  /** Receives the lines instead of the sink, which then shows no bar either. */
  readonly print?: (line: string) => void;
  /** Columns of the terminal. Default: as the terminal reports. */
  readonly columns?: number;
  /** Monotonic time in ms. Default `performance.now`. */
  readonly now?: () => number;
}

/** The display of a run. Disposing of it leaves the last state on the screen. */
export interface Progress extends Disposable {
  /**
   * Shows a new state. It may be called many times per second, and does not draw each time.
   *
   * @param done The completed part of the total.
   * @param remark A few words to show next to it.
   */
  update(done: number, remark?: string): void;
  /** Removes a bar from its line, for another message there. The next update shows it again. */
  clear(): void;
}

/**
 * Starts to show the progress of a run.
 *
 * @example
 * ```ts
 * import { startProgress } from "./progress.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let shown = "";
 * const sink = {
 *   isTerminal: () => false,
 *   writeSync(bytes: Uint8Array): number {
 *     shown += new TextDecoder().decode(bytes);
 *     return bytes.length;
 *   },
 * };
 * {
 *   using progress = await startProgress({ total: 200, sink });
 *   progress.update(50, "3 open");
 * }
 * assertEquals(shown, "50/200 (25%) 3 open\n");
 * ```
 */
export async function startProgress(options: ProgressOptions): Promise<Progress> {
  const { total, quiet = false, lineInterval = 5000, sink = Deno.stderr, now = () => performance.now() } =
    options;
  if (quiet) return { update() {}, clear() {}, [Symbol.dispose]() {} };
  if (options.print === undefined && sink.isTerminal()) {
    return await startBar({ total, sink, columns: options.columns ?? columnsOf(sink) });
  }
  const print = options.print ?? ((line: string) => writeLine(sink, line));
  return new Lines({ total, print, lineInterval, now });
}

interface LinesOptions extends Required<Pick<ProgressOptions, "total" | "print" | "lineInterval" | "now">> {}

class Lines implements Progress {
  readonly #options: LinesOptions;
  #due: number;
  #unshown: string | undefined;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#due = options.now() + options.lineInterval;
  }

  update(done: number, remark = ""): void {
    const { total, lineInterval, now } = this.#options;
    this.#unshown = `${done}/${total} (${percent(done, total)}%) ${remark}`.trimEnd();
    if (now() < this.#due) return;
    this.#due = now() + lineInterval;
    this.#show();
  }

  clear(): void {}

  [Symbol.dispose](): void {
    this.#show();
  }

  #show(): void {
    if (this.#unshown !== undefined) this.#options.print(this.#unshown);
    this.#unshown = undefined;
  }
}

async function startBar(shown: { total: number; sink: Sink; columns: number }): Promise<Progress> {
  const { total, sink, columns } = shown;
  // Loaded here, because it takes longer to load than the rest of the program.
  const { default: cliProgress } = await import("cli-progress");
  const bar = new cliProgress.SingleBar({
    format: "{bar} {percentage}% {value}/{total}, {eta_formatted} left {remark}",
    formatTime: timeLeft,
    barsize: Math.max(10, Math.min(30, columns - 60)),
    // Keeps the library from changing the terminal, which a killed program could not undo.
    linewrap: true,
    hideCursor: false,
    gracefulExit: false,
    stream: {
      isTTY: true,
      columns,
      write(text: string): boolean {
        writeText(sink, text);
        return true;
      },
    },
  }, cliProgress.Presets.shades_classic);
  bar.start(total, 0, { remark: "" });
  return {
    update(done: number, remark = ""): void {
      bar.update(done, { remark });
    },
    clear(): void {
      writeText(sink, "\r\x1b[K");
    },
    [Symbol.dispose](): void {
      bar.stop();
    },
  };
}

/** Formats the estimate of the bar, which is a word while it is unknown. */
function timeLeft(seconds: number | string): string {
  if (typeof seconds !== "number") return "?";
  return seconds < 100 ? `${seconds}s` : `${Math.ceil(seconds / 60)}m`;
}

function columnsOf(sink: Sink): number {
  return sink === Deno.stderr || sink === Deno.stdout ? Deno.consoleSize().columns : 80;
}

function percent(done: number, total: number): number {
  return total > 0 ? Math.floor(done / total * 100) : 100;
}

/** Child processes that write lines of JSON: spawned servers and generators. @module */
import { TextLineStream } from "@std/streams/text-line-stream";

/** A message of a child process: one line of JSON. */
export interface ChildMessage {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** Options for {@linkcode ChildProcess}. */
export interface ChildProcessOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Starts it in a process group of its own, so that a signal to this process's group, such as Ctrl-C or `timeout`, does
   * not reach it. It must end when its stdin ends. Default `false`.
   */
  readonly detached?: boolean;
  /** Receives each line on stdout that is an object with an `event`. */
  readonly onMessage: (line: ChildMessage) => void;
}

/** The end of a child process. */
export interface ChildEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** Looks without output in between, and the time in ms between them, until the output of a child that has exited is over. */
const QUIET_LOOKS = 4;
const LOOK_INTERVAL = 500;

/** A running child process. Its stderr goes to that of this process. */
export class ChildProcess {
  readonly pid: number;
  /** Resolves when it has ended and all its output has been read. */
  readonly ended: Promise<ChildEnd>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #killing: ReturnType<typeof setTimeout> | undefined;
  #killAt = Infinity;
  #killed = false;
  #over = false;

  constructor(options: ChildProcessOptions) {
    const [program, ...args] = options.command;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      detached: options.detached ?? false,
      ...(options.env ? { env: options.env } : {}),
    }).spawn();
    this.pid = this.#child.pid;
    this.#stdin = this.#child.stdin.getWriter();
    this.ended = this.#watch(options.onMessage);
  }

  /** Writes a line to its stdin. Does nothing if it has ended. */
  async send(line: string): Promise<void> {
    if (this.#over) return;
    try {
      await this.#stdin.write(new TextEncoder().encode(line + "\n"));
    } catch (error) {
      // `ended` reports its end. A closed stream throws a TypeError.
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
  }

  /** Sends it a signal. Does nothing if it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // Deno throws a TypeError for a child that has ended.
    }
  }

  /** Whether {@linkcode ChildProcess.terminate} had to kill it. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Terminates it, and kills it after `grace` ms: it may hang, or be suspended. Another call may shorten that time. */
  terminate(grace: number): void {
    this.kill("SIGTERM");
    const killAt = performance.now() + grace;
    if (this.#over || killAt >= this.#killAt) return;
    this.#killAt = killAt;
    clearTimeout(this.#killing);
    const kill = (): void => {
      this.#killed = true;
      this.kill("SIGKILL");
    };
    // At once, because this process may be about to exit.
    if (grace === 0) kill();
    else this.#killing = setTimeout(kill, grace);
  }

  /** Ends its input. A child that ended first, or a stream that broke, is reported by `ended`. */
  endInput(): void {
    this.#stdin.close().catch(() => {});
  }

  async #watch(onLine: (line: ChildMessage) => void): Promise<ChildEnd> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
      new TextLineStream(),
    ).getReader();
    let looks = 0;
    let looking: ReturnType<typeof setInterval> | undefined;
    const exit = this.#child.status.then((status) => {
      // Another process that it started may keep its stdout open.
      looking = setInterval(() => {
        if (++looks < QUIET_LOOKS) return;
        clearInterval(looking);
        void lines.cancel();
      }, LOOK_INTERVAL);
      return status;
    });
    for (let read; !(read = await lines.read()).done; looks = 0) {
      const parsed = parseLine(read.value);
      if (parsed !== undefined) onLine(parsed);
    }
    const { code, signal } = await exit;
    clearInterval(looking);
    this.#over = true;
    clearTimeout(this.#killing);
    try {
      await this.#stdin.close();
    } catch (error) {
      // It did not read its last input. A broken stream throws a TypeError.
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
    return { code, signal };
  }
}

/** Describes an end: `exit code 1`, `signal SIGKILL`. */
export function describeEnd({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function parseLine(line: string): ChildMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const event = value instanceof Object ? Reflect.get(value, "event") : undefined;
    return typeof event === "string" ? value as ChildMessage : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined; // The last line of a child that was killed while writing; `ended` reports it.
  }
}

/** A child process that speaks lines of JSON: this program's own servers and generators. @module */
import { TextLineStream } from "@std/streams/text-line-stream";

/** What a child said in one line. */
export interface ChildMessage {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** What to start, and who listens. */
export interface ChildProcessOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Gets each line the child writes to stdout that is an object with an `event`. */
  readonly onMessage: (line: ChildMessage) => void;
}

/** How a child ended. */
export interface ChildEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** A running child. Its stderr goes to this process's. */
export class ChildProcess {
  readonly pid: number;
  /** Settles when it has ended and all it wrote has been seen. */
  readonly ended: Promise<ChildEnd>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #killing: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(options: ChildProcessOptions) {
    const [program, ...args] = options.command;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      ...(options.env ? { env: options.env } : {}),
    }).spawn();
    this.pid = this.#child.pid;
    this.#stdin = this.#child.stdin.getWriter();
    this.ended = this.#watch(options.onMessage);
  }

  /** Writes a line to its stdin; does nothing when it is gone. */
  async send(line: string): Promise<void> {
    if (this.#over) return;
    try {
      await this.#stdin.write(new TextEncoder().encode(line + "\n"));
    } catch (error) {
      // Its end is told by `ended`; a TypeError is what a stream throws that is closed already.
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
  }

  /** Sends it a signal; does nothing when it is gone. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // What Deno throws for a child that has ended.
    }
  }

  /** Tells it to end, and ends it by force when it is still there after `grace` ms: it may hang, or be suspended. */
  terminate(grace: number): void {
    this.kill("SIGTERM");
    if (!this.#over) this.#killing ??= setTimeout(() => this.kill("SIGKILL"), grace);
  }

  /** Ends its input. A child that ended first, or a stream that broke, is reported by `ended`. */
  endInput(): void {
    this.#stdin.close().catch(() => {});
  }

  async #watch(onLine: (line: ChildMessage) => void): Promise<ChildEnd> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
      new TextLineStream(),
    );
    for await (const line of lines) {
      const parsed = parseLine(line);
      if (parsed !== undefined) onLine(parsed);
    }
    const { code, signal } = await this.#child.status;
    this.#over = true;
    clearTimeout(this.#killing);
    try {
      await this.#stdin.close();
    } catch (error) {
      // It never read what it was told last; a TypeError is what a stream throws that broke before.
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
    return { code, signal };
  }
}

/** `exit code 1`, `signal SIGKILL`. */
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
    return undefined; // The last line of a child that was killed while it wrote: its end is told by `ended`.
  }
}

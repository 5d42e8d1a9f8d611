/** One client of the echo. @module */
import type { Line, LineSender } from "../../socket/codecs/line.ts";
import { LineRun } from "../../socket/codecs/line_run.ts";
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";

/** Counts the lines that were sent back. */
export interface EchoCount {
  messages: number;
}

/** Settles the promise of a client. */
interface Settle {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Sends lines back as bytes, from the memory that they were read into: a loop over strings, as in `examples/echo.ts`,
 * takes up to twice the CPU time.
 */
export class EchoPeer implements FrameSink<string> {
  readonly #connection: Connection;
  readonly #output: LineSender;
  readonly #count: EchoCount;
  readonly #settle: Settle;
  /** Lines of this read that are not sent yet. */
  readonly #run = new LineRun();
  /** Whether the client keeps up. */
  #room = true;

  private constructor(connection: Connection, count: EchoCount, settle: Settle) {
    this.#connection = connection;
    this.#output = connection.lineSender;
    this.#count = count;
    this.#settle = settle;
  }

  /** Resolves when no more lines will come. Rejects with the framing error that ended them. */
  static serve(connection: Connection, count: EchoCount): Promise<void> {
    return new Promise((resolve, reject) =>
      connection.feed(new EchoPeer(connection, count, { resolve, reject }))
    );
  }

  takeLine(line: Line): void {
    this.#count.messages++;
    if (this.#run.add(line)) return;
    // Its line end is CRLF, or an earlier read has its start.
    this.#sendRun();
    if (!this.#run.add(line)) this.#room = this.#output.sendLine(line);
  }

  linesTaken(): boolean {
    this.#sendRun();
    return this.#mayReadOn();
  }

  /** Takes the lines of a large read. */
  take(lines: readonly string[]): boolean {
    this.#count.messages += lines.length;
    for (const line of lines) this.#room = this.#connection.send(line);
    return this.#mayReadOn();
  }

  ended(error?: unknown): void {
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }

  #sendRun(): void {
    const run = this.#run;
    if (run.count === 0) return;
    this.#room = this.#output.sendLines(run);
    run.clear();
  }

  /** Returns whether the client keeps up. Otherwise, reading goes on once it has taken everything. */
  #mayReadOn(): boolean {
    if (!this.#room) this.#readWhenTaken();
    return this.#room;
  }

  #readWhenTaken(): void {
    const connection = this.#connection;
    connection.flushed().then(() => connection.feedOn(), () => {
      // The connection has closed, and `ended` is called for that.
    });
  }
}

/** The lines of one chat client. @module */
import type { Connection } from "../../socket/connection.ts";
import type { TelnetFrame } from "./telnet.ts";

// Enough for what people type ahead. More stays in the kernel, which slows the sender down.
const MOST_HELD = 64 * 1024;

/** Reads lines one by one, refuses telnet options, and can read on while something else is awaited. */
export class LineInput {
  readonly #peer: Connection<TelnetFrame>;
  readonly #batches: AsyncIterator<readonly TelnetFrame[]>;
  /** Lines that were read; those before `#taken` have been returned. */
  #lines: string[] = [];
  #taken = 0;
  #held = 0;
  #filling: Promise<void> | undefined;
  #ended = false;
  #stopped = false;
  #error: unknown;
  #left: AbortController | undefined;

  constructor(peer: Connection<TelnetFrame>) {
    this.#peer = peer;
    this.#batches = peer.batches();
  }

  /**
   * Returns the next line, or `undefined` when no more will come.
   *
   * @throws {FramingError} After the valid lines, if the input cannot be split into lines.
   */
  async next(): Promise<string | undefined> {
    for (;;) {
      // Of a connection that broke off, the rest is not worth processing.
      if (this.#stopped || !this.#peer.open) return undefined;
      if (this.#taken < this.#lines.length) return this.#take();
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      await this.#fill();
    }
  }

  /** The lines, as {@linkcode LineInput.next} returns them. A loop that ends early can be followed by another. */
  async *frames(): AsyncGenerator<string> {
    for (let line; (line = await this.next()) !== undefined;) yield line;
  }

  /** Returns no more lines. */
  stop(): void {
    this.#stopped = true;
    this.#left?.abort();
  }

  /**
   * Awaits `work` and reads on, up to 64 KiB, so that a client that leaves is noticed. It has left when its connection is
   * closed, or when it has finished sending and nothing of what it sent is left.
   *
   * @param work Its signal aborts when the client has left.
   * @returns The result of `work`, or `undefined` if the client has left.
   * @throws What `work` throws.
   */
  async whileHere<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result | undefined> {
    const left = this.#left = new AbortController();
    const watch = async () => {
      while (this.#left === left && !this.#ended && this.#held < MOST_HELD) await this.#fill();
      const nothingLeft = this.#ended && this.#taken === this.#lines.length;
      if (this.#left === left && (nothingLeft || !this.#peer.open)) left.abort();
    };
    void watch(); // Cannot reject: errors of reading are kept for `next`.
    try {
      const result = await work(left.signal);
      return left.signal.aborted ? undefined : result;
    } catch (error) {
      if (left.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#left = undefined;
    }
  }

  #take(): string {
    const line = this.#lines[this.#taken++]!;
    this.#held -= line.length;
    if (this.#taken === this.#lines.length) {
      this.#lines = [];
      this.#taken = 0;
    }
    return line;
  }

  #fill(): Promise<void> {
    return this.#filling ??= this.#read().finally(() => this.#filling = undefined);
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#batches.next();
      if (done) {
        this.#ended = true;
        return;
      }
      let ahead = false;
      for (const frame of value) {
        if (typeof frame === "string") {
          this.#lines.push(frame);
          this.#held += frame.length;
        } else if (!this.#peer.send(frame)) {
          ahead = true;
        }
      }
      if (ahead) await this.#peer.flushed();
    } catch (error) {
      this.#ended = true;
      this.#error = error;
    }
  }
}

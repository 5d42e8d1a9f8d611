/** A client of an echo service. @module */
import { Deque } from "@std/data-structures/deque";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, FramingError } from "../../socket/errors.ts";
import type { Timer } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";

/** Options of an {@linkcode EchoClient}. */
export interface EchoClientOptions {
  /** Longest wait for a reply in ms before the connection is closed; 0 disables the limit. */
  readonly timeout: number;
  /** Called for each reply. */
  heard(line: string): void;
}

/** The result of the session. */
export interface EchoResult {
  /** Lines that came back unchanged. */
  readonly replies: number;
  readonly missing: number;
  /** Replies that differ from what was sent, or that were not requested. */
  readonly wrong: number;
  readonly reason: CloseReason;
}

/** Sends lines, and expects each of them back in order. */
export class EchoClient {
  readonly #connection: Connection;
  readonly #options: EchoClientOptions;
  readonly #awaited = new Deque<string>();
  readonly #listening: Promise<void>;
  #timer: Timer | undefined;
  #replies = 0;
  #wrong = 0;

  constructor(connection: Connection, options: EchoClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#listening = this.#listen();
    // The error is not lost: `finish` waits for it.
    this.#listening.catch(() => {});
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return !this.#connection.open || this.#connection.peerEnded;
  }

  /** Sends a line, and waits if the server does not keep up. Does nothing if the connection has ended. */
  async say(line: string): Promise<void> {
    if (this.ended) return;
    this.#awaited.pushBack(line);
    if (this.#awaited.length === 1) this.#restartTimer();
    if (!this.#connection.send(line)) {
      // `finish` reports how it ended.
      await this.#connection.flushed().catch(() => {});
    }
  }

  /** Waits for all replies, and closes the connection. */
  async finish(): Promise<EchoResult> {
    await this.#connection.closeWrite().catch(() => {});
    await this.#listening;
    const reason = await this.#connection.close();
    this.#timer?.cancel();
    return { replies: this.#replies, missing: this.#awaited.length, wrong: this.#wrong, reason };
  }

  async #listen(): Promise<void> {
    try {
      for await (const line of this.#connection) this.#hear(line);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      await this.#connection.close({ type: "framing", error });
    }
  }

  #hear(line: string): void {
    if (this.#awaited.popFront() === line) this.#replies++;
    else this.#wrong++;
    this.#restartTimer();
    this.#options.heard(line);
  }

  /** Restarts the timer for the next reply. */
  #restartTimer(): void {
    const ms = this.#options.timeout;
    this.#timer?.cancel();
    if (ms === 0 || this.#awaited.length === 0) return;
    this.#timer = systemClock.after(
      ms,
      () => this.#connection.abort({ type: "timeout", which: "reply", ms }),
    );
  }
}

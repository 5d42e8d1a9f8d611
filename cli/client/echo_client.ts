/** One client of an echo. @module */
import { Deque } from "@std/data-structures/deque";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, FramingError } from "../../socket/errors.ts";
import type { Timer } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";

/** What an {@linkcode EchoClient} needs besides its connection. */
export interface EchoClientOptions {
  /** Longest wait for a reply in ms, then the connection is closed; 0 for no bound. */
  readonly timeout: number;
  /** Called for each reply. */
  heard(line: string): void;
}

/** How it went. */
export interface EchoResult {
  /** Lines that came back as they were sent. */
  readonly replies: number;
  readonly missing: number;
  /** Replies that were not what was sent, or that nothing was sent for. */
  readonly wrong: number;
  readonly reason: CloseReason;
}

/** Sends lines and wants each of them back, in order. */
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
    // Not lost: `finish` waits for it.
    this.#listening.catch(() => {});
  }

  /** Whether there is no use in saying more. */
  get ended(): boolean {
    return !this.#connection.open || this.#connection.peerEnded;
  }

  /** Sends a line; waits where the server does not keep up. Does nothing when the connection has ended. */
  async say(line: string): Promise<void> {
    if (this.ended) return;
    this.#awaited.pushBack(line);
    if (this.#awaited.length === 1) this.#restartTimer();
    if (!this.#connection.send(line)) {
      // How it ended, if it has, is told by `finish`.
      await this.#connection.flushed().catch(() => {});
    }
  }

  /** Waits for all replies, and ends the connection. */
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

  /** The wait for the reply that is next. */
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

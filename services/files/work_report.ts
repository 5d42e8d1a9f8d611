/** Progress of long requests. @module */
import type { Clock } from "../../internal/clock.ts";
import type { Connection } from "../../socket/connection.ts";
import type { FilesFrame } from "./codec.ts";

/** Error thrown to stop work for a client that has disconnected. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
}

/**
 * Time in ms between two lines. A client that has disconnected answers the first one with a reset, so that the second one
 * fails.
 */
const INTERVAL = 400;

/** Sends `working DONE` at intervals, so that a client can distinguish slow work from a server that hangs. */
export class WorkReport {
  readonly #connection: Connection<FilesFrame>;
  readonly #clock: Clock;
  readonly #minProgress: number;
  #reported = 0;
  #reportedAt: number;

  /** @param minProgress Progress since the last line that is worth another one. */
  constructor(connection: Connection<FilesFrame>, clock: Clock, minProgress: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#minProgress = minProgress;
    this.#reportedAt = clock.now();
  }

  /**
   * Reports progress, if there is enough.
   *
   * @throws {ClientGoneError} If the connection has closed.
   */
  readonly progress = (done: number): void => {
    if (!this.#connection.open) throw new ClientGoneError("Client has disconnected");
    if (done - this.#reported < this.#minProgress || this.#clock.now() - this.#reportedAt < INTERVAL) return;
    this.#report(done);
  };

  /** Reports regularly during an operation of the OS whose progress is not visible. */
  async during<Result>(done: number, work: Promise<Result>): Promise<Result> {
    if (done < this.#minProgress) return await work;
    const again = (): void => {
      this.#report(done);
      timer = this.#clock.after(INTERVAL, again);
    };
    let timer = this.#clock.after(INTERVAL, again);
    try {
      return await work;
    } finally {
      timer.cancel();
    }
  }

  #report(done: number): void {
    this.#reported = done;
    this.#reportedAt = this.#clock.now();
    this.#connection.send(`working ${done}`);
  }
}

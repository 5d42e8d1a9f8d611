/** How far a long request is, told to the client that waits for it. @module */
import type { Clock } from "../../internal/clock.ts";
import type { Connection } from "../../socket/connection.ts";
import type { FilesFrame } from "./codec.ts";

/** Thrown out of work that nobody waits for any more. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
}

/**
 * Time in ms between two lines. A client that has gone is noticed at the second one at the latest: it answers the first
 * with a reset.
 */
const INTERVAL = 400;

/** Sends `working DONE` now and then, so that a client can tell slow work from a server that hangs. */
export class WorkReport {
  readonly #connection: Connection<FilesFrame>;
  readonly #clock: Clock;
  readonly #worthTelling: number;
  #told = 0;
  #toldAt: number;

  /** @param worthTelling Progress that takes so long only where something is slow; less is not told. */
  constructor(connection: Connection<FilesFrame>, clock: Clock, worthTelling: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#worthTelling = worthTelling;
    this.#toldAt = clock.now();
  }

  /**
   * Takes note of progress.
   *
   * @throws {ClientGoneError} If the connection has closed.
   */
  readonly progress = (done: number): void => {
    if (!this.#connection.open) throw new ClientGoneError("Client has gone");
    if (done - this.#told < this.#worthTelling || this.#clock.now() - this.#toldAt < INTERVAL) return;
    this.#tell(done);
  };

  /** Reports while the system does something that has no progress to see. */
  async during<Result>(done: number, work: Promise<Result>): Promise<Result> {
    if (done < this.#worthTelling) return await work;
    const again = (): void => {
      this.#tell(done);
      timer = this.#clock.after(INTERVAL, again);
    };
    let timer = this.#clock.after(INTERVAL, again);
    try {
      return await work;
    } finally {
      timer.cancel();
    }
  }

  #tell(done: number): void {
    this.#told = done;
    this.#toldAt = this.#clock.now();
    this.#connection.send(`working ${done}`);
  }
}

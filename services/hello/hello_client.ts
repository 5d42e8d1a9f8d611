/** One client of the hello service. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { isClientHello } from "../../internal/tls_hello.ts";
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";
import { FramingError } from "../../socket/errors.ts";
import { type Greeting, helloResponse } from "./response.ts";

const PLAIN_TEXT = "This port speaks plain text, not TLS";

/** The state that all clients of a service share. */
export interface HelloState {
  readonly clock: Clock;
  /** Time in ms from the request to the response. */
  readonly delay: number;
  readonly greeting: Greeting;
  /** Clients whose delay runs. */
  delayed: number;
}

/** Settles the promise of a client. */
interface Settle {
  resolve(): void;
  reject(error: unknown): void;
}

/** Answers the first bytes of a client, and reads no more. It gets them by a call, and without a copy. */
export class HelloClient implements FrameSink<Uint8Array> {
  readonly keepsNothing = true;
  readonly #connection: Connection<Uint8Array>;
  readonly #state: HelloState;
  readonly #settle: Settle;
  #timer: Timer | undefined;

  private constructor(connection: Connection<Uint8Array>, state: HelloState, settle: Settle) {
    this.#connection = connection;
    this.#state = state;
    this.#settle = settle;
  }

  /** Resolves when the client has its response, or has gone. Rejects with a framing error if it speaks TLS. */
  static serve(connection: Connection<Uint8Array>, state: HelloState): Promise<void> {
    return new Promise((resolve, reject) =>
      connection.feed(new HelloClient(connection, state, { resolve, reject }))
    );
  }

  take([start]: readonly Uint8Array[]): boolean {
    if (start !== undefined && isClientHello(start)) this.#refuseTls();
    else if (this.#state.delay > 0) this.#wait();
    else this.#greet();
    return false;
  }

  /** Called also after the response, when the connection closes. */
  ended(): void {
    if (this.#timer !== undefined) {
      this.#timer.cancel();
      this.#waited();
    }
    this.#settle.resolve();
  }

  #refuseTls(): void {
    this.#connection.send(helloResponse(400, `${PLAIN_TEXT}\n`, new Date()));
    this.#settle.reject(new FramingError("tls", PLAIN_TEXT));
  }

  #wait(): void {
    const { clock, delay } = this.#state;
    this.#state.delayed++;
    this.#timer = clock.after(delay, () => {
      this.#waited();
      this.#greet();
    });
  }

  #waited(): void {
    this.#timer = undefined;
    this.#state.delayed--;
  }

  #greet(): void {
    this.#connection.send(this.#state.greeting.at(new Date()));
    this.#settle.resolve();
  }
}

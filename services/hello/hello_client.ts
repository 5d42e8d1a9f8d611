/** One client of the hello service. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { isClientHello } from "../../internal/tls_hello.ts";
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";
import { type CloseReason, FramingError } from "../../socket/errors.ts";
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

/** Answers the first bytes of a client, and reads no more. It gets them by a call, and without a copy. */
export class HelloClient implements FrameSink<Uint8Array> {
  readonly keepsNothing = true;
  readonly #connection: Connection<Uint8Array>;
  readonly #state: HelloState;
  readonly #resolve: () => void;
  #timer: Timer | undefined;

  private constructor(connection: Connection<Uint8Array>, state: HelloState, resolve: () => void) {
    this.#connection = connection;
    this.#state = state;
    this.#resolve = resolve;
  }

  /** Answers a client, and closes its connection. Resolves when nothing more will be sent. */
  static serve(connection: Connection<Uint8Array>, state: HelloState): Promise<void> {
    return new Promise((resolve) => connection.feed(new HelloClient(connection, state, resolve)));
  }

  take([start]: readonly Uint8Array[]): boolean {
    if (start !== undefined && isClientHello(start)) this.#refuseTls();
    else if (this.#state.delay > 0) this.#wait();
    else this.#greet();
    return false;
  }

  /** Called when the connection closes, be it after the response. */
  ended(): void {
    if (this.#timer !== undefined) {
      this.#timer.cancel();
      this.#waited();
    }
    this.#resolve();
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
    this.#answer(this.#state.greeting.at(new Date()));
  }

  #refuseTls(): void {
    const error = new FramingError("tls", PLAIN_TEXT);
    this.#answer(helloResponse(400, `${PLAIN_TEXT}\n`, new Date()), { type: "framing", error });
  }

  /** Sends a response and FIN, which go out together because both are sent in this turn. */
  #answer(response: Uint8Array, why?: CloseReason): void {
    this.#connection.send(response);
    void this.#connection.close(why); // The service waits for it.
  }
}

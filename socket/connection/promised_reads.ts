/** Reads from a transport without `receive`. @module */
import type { Receiver, Transport } from "../network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * Reads with `read` and passes the results to a receiver. Each connection needs its own buffer, because a pending read
 * pins it.
 */
export class PromisedReads {
  readonly #transport: Transport;
  readonly #receiver: Receiver;
  readonly #buffer = new ReadBuffer();

  constructor(transport: Transport, receiver: Receiver) {
    this.#transport = transport;
    this.#receiver = receiver;
  }

  begin(): void {
    this.#transport.read(this.#buffer.free()).then(this.#onRead, this.#onError);
  }

  readonly #onRead = (count: number | null): void => {
    if (count === null) this.#receiver.receivedEnd();
    else this.#receiver.received(this.#buffer.filled(count));
  };

  readonly #onError = (cause: unknown): void => this.#receiver.receiveFailed(cause);
}

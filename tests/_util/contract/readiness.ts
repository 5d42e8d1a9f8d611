/** Holds `receive` and `writeNow` to the contract: `read` and `write` are made of them. */
import { assertThrows } from "@std/assert";
import { interrupted } from "../../../internal/os_errors.ts";
import type { Network, Transport } from "../../../socket/network.ts";

/** Returns a network whose transports read with `receive` and write with `writeNow` as far as it goes. */
export function byReadiness(below: Network): Network {
  return {
    listen(options) {
      const listener = below.listen(options);
      return {
        address: listener.address,
        accept: async () => new ReadinessTransport(await listener.accept()),
        close: () => listener.close(),
      };
    },
    connect: async (options) => new ReadinessTransport(await below.connect(options)),
  };
}

class ReadinessTransport implements Transport {
  readonly #inner: Transport;
  /** Received, but more than a reader had room for. */
  #left: Uint8Array = new Uint8Array(0);
  #reject: ((error: Error) => void) | undefined;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get local() {
    return this.#inner.local;
  }

  get remote() {
    return this.#inner.remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#left.length > 0) return Promise.resolve(this.#take(into));
    return new Promise((resolve, reject) => {
      this.#inner.receive!({
        received: (bytes) => {
          this.#reject = undefined;
          this.#left = bytes.slice();
          resolve(this.#take(into));
        },
        receivedEnd: () => resolve(null),
        receiveFailed: reject,
      });
      this.#reject = reject;
      assertThrows(
        () => this.#inner.receive!({ received() {}, receivedEnd() {}, receiveFailed() {} }),
        TypeError,
      );
    });
  }

  // deno-lint-ignore require-await -- what `writeNow` throws is what `write` rejects with
  async write(bytes: Uint8Array): Promise<number> {
    const count = this.#inner.writeNow!(bytes, bytes.length);
    return count > 0 ? count : this.#inner.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(): void {
    this.#inner.close();
    this.#reject?.(interrupted()); // The receiver is not called anymore.
  }

  reset(): void {
    this.#inner.reset!();
  }

  #take(into: Uint8Array): number {
    const part = this.#left.subarray(0, into.length);
    into.set(part);
    this.#left = this.#left.subarray(part.length);
    return part.length;
  }
}

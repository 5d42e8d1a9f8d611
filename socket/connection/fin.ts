/** The FIN of a connection. @module */
import type { HalfOwner } from "../errors.ts";
import type { Transport } from "../network.ts";

/** A FIN, which is sent once: after both sides have finished, the OS refuses another. */
export class Fin {
  /** Set while the FIN is on its way, for a transport without `closeWriteNow`. */
  #sending: Promise<void> | undefined;
  #sent = false;

  /** Whether it was sent. */
  get sent(): boolean {
    return this.#sent;
  }

  /** Resolves when it was sent, or has failed. */
  get done(): Promise<void> {
    return this.#sending ?? Promise.resolve();
  }

  /** Sends it, and notifies the owner. Does nothing the second time. */
  send(transport: Transport, owner: HalfOwner): void {
    if (this.#sent || this.#sending !== undefined) return;
    if (transport.closeWriteNow === undefined) {
      this.#sending = transport.closeWrite().then(
        () => this.#notify(owner),
        (cause) => owner.fail({ type: "write-failed", cause }),
      );
      return;
    }
    try {
      transport.closeWriteNow();
    } catch (cause) {
      return owner.fail({ type: "write-failed", cause });
    }
    this.#notify(owner);
  }

  #notify(owner: HalfOwner): void {
    this.#sent = true;
    owner.halfEnded();
  }
}

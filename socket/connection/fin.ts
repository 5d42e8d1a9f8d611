/** The FIN of a connection. @module */
import type { Transport } from "../network.ts";

/** The owner of a {@linkcode Fin}. */
export interface FinOwner {
  /** It was sent. */
  halfEnded(): void;
  /** It cannot be sent. */
  writeFailed(cause: unknown): void;
}

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
  send(transport: Transport, owner: FinOwner): void {
    if (this.#sent || this.#sending !== undefined) return;
    if (transport.closeWriteNow === undefined) {
      this.#sending = transport.closeWrite().then(
        () => this.#notify(owner),
        (cause) => owner.writeFailed(cause),
      );
      return;
    }
    try {
      transport.closeWriteNow();
    } catch (cause) {
      return owner.writeFailed(cause);
    }
    this.#notify(owner);
  }

  #notify(owner: FinOwner): void {
    this.#sent = true;
    owner.halfEnded();
  }
}

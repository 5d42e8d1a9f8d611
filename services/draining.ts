/** Notifies handlers that their service drains. @module */

/** The functions that end connections when their service drains. */
export class Draining<Connection extends object> {
  readonly #ends = new Map<Connection, () => void>();
  #begun = false;

  /**
   * Sets the function that ends a connection. It is called once, immediately if the service drains already.
   *
   * @returns An object whose disposal removes the function.
   */
  whenBegun(connection: Connection, end: () => void): Disposable {
    if (this.#begun) end();
    else this.#ends.set(connection, end);
    return { [Symbol.dispose]: () => void this.#ends.delete(connection) };
  }

  /** From now on, a connection ends as soon as its function is set. */
  begin(): void {
    this.#begun = true;
  }

  /** Ends a connection, unless its handler has finished or has set no function. */
  end(connection: Connection): void {
    const end = this.#ends.get(connection);
    this.#ends.delete(connection);
    end?.();
  }
}

/** Work under way that somebody will wait for. Pure. @module */

/** Counts promises until they settle, and keeps the first failure among them until it is asked for. */
export class TaskSet {
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  add(task: Promise<unknown>): void {
    this.begin();
    void task.then(this.#settled, this.#failed);
  }

  /** As {@linkcode TaskSet.add} for work that is no promise; {@linkcode TaskSet.end} when it is done. */
  begin(): void {
    this.#running++;
  }

  end(): void {
    this.#running--;
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Notes a failure as if one of the tasks had had it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Waits until none is left, those included that are added meanwhile.
   *
   * @throws The first failure, after all have settled.
   */
  async allSettled(): Promise<void> {
    while (this.#running > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    this.throwFailure();
  }

  /** Throws the first failure, if there is one. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  // One of each for all tasks: a server has two for every connection.
  readonly #settled = (): void => this.end();

  readonly #failed = (error: unknown): void => {
    this.fail(error);
    this.end();
  };
}

/** A set of pending tasks. Pure. @module */

/** Counts promises until they settle, and keeps the first failure. */
export class TaskSet {
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  add(task: Promise<unknown>): void {
    this.begin();
    this.endWith(task);
  }

  /** Begins a task without a promise; {@linkcode TaskSet.end} or {@linkcode TaskSet.endWith} ends it. */
  begin(): void {
    this.#running++;
  }

  /** Ends a task that has begun when a promise settles. */
  endWith(last: Promise<unknown>): void {
    void last.then(this.#settled, this.#failed);
  }

  end(): void {
    this.#running--;
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Records a failure as if one of the tasks had failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Waits until no task is pending, including tasks that are added during the wait.
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

  // Shared by all tasks: a server has two tasks per connection.
  readonly #settled = (): void => this.end();

  readonly #failed = (error: unknown): void => {
    this.fail(error);
    this.end();
  };
}

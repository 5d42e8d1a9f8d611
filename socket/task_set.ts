/** Work under way that somebody will wait for. Pure. @module */

/** Keeps promises until they settle, and the first failure among them until it is asked for. */
export class TaskSet {
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  add(task: Promise<unknown>): void {
    const settled: Promise<void> = task.then(
      () => void this.#running.delete(settled),
      (error) => {
        this.#running.delete(settled);
        this.fail(error);
      },
    );
    this.#running.add(settled);
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
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

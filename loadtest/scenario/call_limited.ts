/** Calls a function of a scenario that may throw, or never return. @module */
import type { Clock } from "../../internal/clock.ts";
import { formatDuration } from "../../internal/duration.ts";
import { describeThrown } from "./errors.ts";

/** The result of a function, or the reason why there is none, as text. */
export type Called<Result> =
  | { readonly value: Result; readonly failure?: undefined }
  | { readonly failure: string; readonly cause?: unknown };

/** Options for {@linkcode callLimited}. */
export interface CallOptions {
  /** Its name, which begins the failure, such as `setup()`. */
  readonly name: string;
  /** URL of the scenario file, which the failure names. */
  readonly file?: string | undefined;
  readonly clock: Clock;
  /** Longest time, in ms. */
  readonly within: number;
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a function. Never rejects: a failure is text such as `setup() threw Error: no database at kv.ts:9:3`, or
 * `setup() did not finish within 5m`.
 */
export async function callLimited<Result>(
  call: () => Result | Promise<Result>,
  { name, file, clock, within, signal }: CallOptions,
): Promise<Called<Result>> {
  const over = Promise.withResolvers<Called<Result>>();
  const timer = clock.after(within, () => {
    over.resolve({ failure: `${name} did not finish within ${formatDuration(within)}` });
  });
  const interrupt = (): void =>
    over.resolve({ failure: `${name} had not finished when the run was interrupted` });
  signal?.addEventListener("abort", interrupt, { once: true });
  if (signal?.aborted) interrupt();
  const called = Promise.try(call).then(
    (value): Called<Result> => ({ value }),
    (cause: unknown): Called<Result> => ({ failure: `${name} ${describeThrown(cause, file)}`, cause }),
  );
  try {
    return await Promise.race([called, over.promise]);
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", interrupt);
  }
}

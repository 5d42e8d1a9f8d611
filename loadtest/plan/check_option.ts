/** Checks of numeric options, with errors that name the option. Pure. @module */
import { MAX_DURATION } from "../../internal/duration.ts";

/** An option has a value that is not accepted. A program can show the option by its own name. */
export class OptionError extends RangeError {
  override readonly name = "OptionError";
  /** The option, as in `timeout`. */
  readonly option: string;
  /** The value, and what is accepted. */
  readonly detail: string;

  constructor(option: string, value: number | string, expected: string) {
    const detail = `${value}: ${expected}`;
    super(`Cannot use ${option} ${detail}`);
    this.option = option;
    this.detail = detail;
  }
}

/**
 * Checks a duration in ms.
 *
 * @throws {OptionError} If `ms` is NaN, infinite, below `min` (default 0), or above 36500 days
 */
export function assertDuration(option: string, ms: number, { min = 0 }: { min?: number } = {}): void {
  if (ms >= min && ms <= MAX_DURATION) return;
  throw new OptionError(option, ms, `expected ${min} to ${MAX_DURATION} ms (36500 days)`);
}

/**
 * Checks an integer.
 *
 * @throws {OptionError} If `value` is not an integer from `min` to `max` (default 2^31 - 1)
 */
export function assertInteger(
  option: string,
  value: number,
  { min, max = 2 ** 31 - 1 }: { min: number; max?: number },
): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new OptionError(option, value, `expected an integer from ${min} to ${max}`);
}

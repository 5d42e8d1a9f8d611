/** Parses the query of `POST /rate`. Pure. @module */
import { quoted } from "../../internal/printable.ts";
import type { RunControl } from "../../loadtest/pace/run_control.ts";
import { parseRate } from "../../loadtest/scenario/load_shape.ts";

const EXPECTED = "expected speed, such as speed=0.5, or per_second, such as per_second=500";

/**
 * Returns the change that a query asks for: `speed=2` for twice as fast as planned, or `per_second=500`.
 *
 * @throws {RangeError} If the query has neither, both, or a value that cannot be used.
 */
export function parsePaceChange(query: URLSearchParams): (control: RunControl) => void {
  const [[name, value] = [], more] = query;
  if (name === undefined || value === undefined || more !== undefined) {
    throw new RangeError(`Cannot change the rate: ${EXPECTED}`);
  }
  if (name === "per_second") {
    const rate = parseRate(value);
    return (control) => control.setRate(rate);
  }
  if (name !== "speed") throw new RangeError(`Cannot use parameter ${quoted(name)}: ${EXPECTED}`);
  const speed = /^(0|[1-9]\d{0,3})(\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (Number.isNaN(speed)) {
    throw new RangeError(`Cannot use speed ${quoted(value)}: expected a number such as 0.5`);
  }
  return (control) => control.setSpeed(speed);
}

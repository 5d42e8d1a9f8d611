/** Options of load tests that prove delivery on any machine, and are not about lag. */
import { parseDuration } from "../../../internal/duration.ts";

const BOUND = "1h"; // Longer than any test runs.

/** A lag that no generator reaches, in ms. */
export const ANY_LAG_MS = parseDuration(BOUND);

/** The same as command-line options. */
export const ANY_LAG: readonly string[] = ["--max-lag", BOUND];

/** For load tests that are to prove delivery, however slow the machine is, and are not about lag. */
import { parseDuration } from "../../../internal/duration.ts";

const BOUND = "1h"; // Longer than any test runs.

/** The lag that no generator comes to, in ms. */
export const ANY_LAG_MS = parseDuration(BOUND);

/** The same on a command line. */
export const ANY_LAG: readonly string[] = ["--max-lag", BOUND];

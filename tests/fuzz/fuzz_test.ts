/** The properties of `deno task fuzz`, in a few runs with the seeds that are kept. */
import { PROPERTIES } from "../_util/fuzz/fuzz.ts";
import { pure } from "../_util/permissions.ts";

/** Seeds that once found something, and one to begin with; `deno task fuzz` prints what to add. */
const SEEDS: Readonly<Record<string, readonly number[]>> = {};

for (const [name, property] of Object.entries(PROPERTIES)) {
  Deno.test(`Fuzzing: ${name}`, pure, async () => {
    for (const seed of [1, ...SEEDS[name] ?? []]) await property({ seed, numRuns: 300 });
  });
}

/**
 * Fuzzes everything that reads bytes of a stranger, for a time: `deno task fuzz`, `deno run tools/fuzz.ts --seconds 600`.
 * What it finds is printed with its seed, to be kept in `tests/fuzz/fuzz_test.ts`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { PROPERTIES } from "../tests/_util/fuzz/fuzz.ts";

const told = parseArgs(Deno.args, { string: ["seconds"] });
const seconds = Number(told.seconds ?? 60);
const each = seconds * 1000 / Object.keys(PROPERTIES).length;
const RUNS = 2000;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

let failed = 0;
for (const [name, property] of Object.entries(PROPERTIES)) {
  const end = performance.now() + each;
  let rounds = 0;
  let seed = 0;
  try {
    for (; performance.now() < end; rounds++) {
      seed = Math.floor(Math.random() * 2 ** 31);
      await property({ seed, numRuns: RUNS });
    }
    say(`held   ${name}: ${rounds * RUNS} runs`);
  } catch (error) {
    failed++;
    say(`FAILED ${name}: seed ${seed}\n${error instanceof Error ? error.message : error}`);
  }
}
Deno.exit(failed === 0 ? 0 : 1);

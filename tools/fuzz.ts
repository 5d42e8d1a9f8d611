/**
 * Fuzzes everything that reads bytes from a peer: `deno task fuzz`, or `deno run tools/fuzz.ts --seconds 600`.
 * A failure is printed with its seed; keep it as a case in `tests/fuzz/fuzz_test.ts`.
 *
 * @module
 */
import { toolArgs } from "../tests/_util/programs/tool_args.ts";
import { PROPERTIES } from "../tests/_util/fuzz/fuzz.ts";

const { seconds } = toolArgs({ command: "deno task fuzz", options: { seconds: 60 } });
const each = seconds * 1000 / Object.keys(PROPERTIES).length;
const RUNS = 2000;

function print(text: string): void {
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
    print(`held   ${name}: ${rounds * RUNS} runs`);
  } catch (error) {
    failed++;
    print(`FAILED ${name}: seed ${seed}\n${error instanceof Error ? error.message : error}`);
  }
}
Deno.exit(failed === 0 ? 0 : 1);

/**
 * The load tester: `deno run -A loadtest.ts [COMMAND] [OPTIONS]`. See `--help`.
 *
 * Importing it starts nothing. The library is `@okline/okline/loadtest`.
 *
 * @module
 */
import { loadTester } from "./cli/loadtest/program.ts";
import { run } from "./cli/run_program.ts";

// Not awaited: a scenario file may import this module while the program runs, and would wait for the end of the program.
if (import.meta.main) void run(loadTester, import.meta, { warn: false });

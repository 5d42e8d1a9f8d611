/**
 * Load tests that prove delivery: what scenario files and tests import as `@okline/okline/loadtest`. Importing it starts
 * nothing.
 *
 * Run by that name, as in `deno run -A jsr:@okline/okline/loadtest --help`, it is the load tester.
 *
 * @module
 */
import { run } from "../run_program.ts";
import { loadTester } from "./program.ts";

export * from "../../loadtest/mod.ts";

// The Worker loads the program without the library, and only what a command needs of it.
if (import.meta.main) void run(loadTester, { url: new URL("../../loadtest.ts", import.meta.url).href });

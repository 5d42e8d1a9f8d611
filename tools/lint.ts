/**
 * Lint rules for the project's layout: `layout/direction` checks which folder may import which,
 * `layout/pure-time` keeps clocks, timers, and randomness injected, and `layout/no-console` keeps
 * output in one place.
 *
 * @module
 */
import { direction } from "./lint/direction.ts";
import { noConsole } from "./lint/no_console.ts";
import { pureTime } from "./lint/pure_time.ts";

/** The plugin, as `lint.plugins` in deno.json expects it. */
const plugin: Deno.lint.Plugin = {
  name: "layout",
  rules: { direction, "pure-time": pureTime, "no-console": noConsole },
};

export default plugin;

/**
 * Lint rules that hold the project to its layout: `rooms/direction`, which folder may import which, `rooms/pure-time`,
 * where time, chance and the system must be handed in, and `rooms/no-console`, who may print.
 *
 * @module
 */
import { direction } from "./lint/direction.ts";
import { noConsole } from "./lint/no_console.ts";
import { pureTime } from "./lint/pure_time.ts";

/** The plugin, as `lint.plugins` in deno.json takes it. */
const plugin: Deno.lint.Plugin = {
  name: "rooms",
  rules: { direction, "pure-time": pureTime, "no-console": noConsole },
};

export default plugin;

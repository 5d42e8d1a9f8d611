/** What this is, and which one. @module */
import config from "../deno.json" with { type: "json" };

/** The version in `deno.json`. */
export const VERSION: string = config.version;

/** How a program is called: `server.ts`, or `okline-server` in the compiled one. */
export function programName(name: string): string {
  return Deno.build.standalone ? `okline-${name}` : `${name}.ts`;
}

/** Environment variables, as far as the program may read them. @module */

/** Gives the value of a variable, `undefined` where it is not set. */
export type Environment = (name: string) => string | undefined;

/**
 * The environment of this process. A variable that the program may not read counts as not set, so that one without
 * any permission for the environment runs, with the defaults, rather than asking for each variable.
 */
export function processEnvironment(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

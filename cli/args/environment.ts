/** Environment variables, restricted to those that the program may read. @module */

/** Returns the value of a variable, or `undefined` if it is not set. */
export type Environment = (name: string) => string | undefined;

/**
 * The environment of this process. A variable without read permission counts as unset, so that a program without any
 * environment permission starts with its defaults instead of prompting for each variable.
 */
export function processEnvironment(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/** Permissions of tests. @module */

/** Options for `Deno.test` of a unit without side effects: a test that touches the network, a file, or the environment fails. */
export const pure = { permissions: "none" } as const;

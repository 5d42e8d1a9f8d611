/**
 * Deno's cure against starving busy connections. Its I/O driver spends tokio's cooperative budget of 128 events a turn
 * on whoever comes first: with more connections than that ready at once, the rest is polled in vain, and some of it
 * for seconds. A smaller number of events per tick, set in the environment, leaves budget for all.
 *
 * @module
 */

/** The variable; read once, when a thread's runtime starts. Anything but a number in it stops Deno. */
export const CURE_VARIABLE = "DENO_TOKIO_MAX_IO_EVENTS_PER_TICK";

/** Measured best for even service; half the budget. */
export const CURE_VALUE = "64";

// Read when this loads, because what this thread itself sets later helps other threads only.
const setAtStart = mayUseVariable() && Deno.env.get(CURE_VARIABLE) !== undefined;

/** Whether the program has the permission to read and set the variable. Asks nobody. */
export function mayUseVariable(): boolean {
  return Deno.permissions.querySync({ name: "env", variable: CURE_VARIABLE }).state === "granted";
}

/**
 * Whether this thread serves more than 128 busy connections evenly: `DENO_TOKIO_MAX_IO_EVENTS_PER_TICK` was in the
 * environment when it started. A thread cannot cure itself; one that sets the variable cures the Workers and the
 * processes it starts from then on. `false`, too, where the program may not read the variable.
 */
export function starvationCured(): boolean {
  return setAtStart;
}

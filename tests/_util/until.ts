/** Turns of the event loop after which a wait is long, and leaves the processor to others. */
const LONG_WAIT_TURNS = 1000;

/** Waits, turn by turn of the event loop, until `holds` gives true; for state that announces no change. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    await new Promise((resolve) => turn < LONG_WAIT_TURNS ? setImmediate(resolve) : setTimeout(resolve, 2));
  }
}

const QUIET_TURNS = 2000;

/**
 * Waits until what `read` gives has stayed the same, and not 0, for many turns of the event loop: for what comes to a
 * halt and says nothing. Where it has not halted yet a test may miss a fault, but does not fail without one.
 */
export async function untilQuiet(read: () => number): Promise<void> {
  for (let turns = 0, last = 0; turns < QUIET_TURNS;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = read();
    turns = now === last && now !== 0 ? turns + 1 : 0;
    last = now;
  }
}

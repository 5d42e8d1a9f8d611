/** Waits, turn by turn of the event loop, until `holds` gives true; for state that announces no change. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

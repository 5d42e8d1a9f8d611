/** Garbage collection on demand, for tests of what stays in memory. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Turns of the event loop in which an object that nothing refers to is collected. */
const TURNS = 100;

/** Collects garbage until at most `most` of the objects are left, or for many turns, and returns how many are left. */
export async function leftAfterCollection(
  objects: readonly WeakRef<WeakKey>[],
  { most }: { readonly most: number },
): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const left = (): number => objects.filter((object) => object.deref() !== undefined).length;
  for (let turn = 0; turn < TURNS && left() > most; turn++) {
    // In a turn of its own: `deref` keeps an object until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return left();
}

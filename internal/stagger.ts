/** Work spread over time. Pure but for the clock handed in. @module */
import type { Clock, Timer } from "./clock.ts";

// 10,000 a second, or more where that would take longer than it may.
const SLICE_MS = 10;
const SLICE = 100;

/**
 * Calls `each` for all items, for the first ones immediately and for the rest in slices within `ms`. Peers that are closed
 * in the same moment would reconnect in the same moment.
 *
 * @returns A function that stops it.
 */
export function stagger<Item>(
  items: readonly Item[],
  options: { clock: Clock; ms: number; each: (item: Item) => void },
): Timer {
  const { clock, ms, each } = options;
  const slices = Math.max(1, Math.floor(ms / SLICE_MS));
  const size = Math.max(SLICE, Math.ceil(items.length / slices));
  let next = 0;
  let timer: Timer | undefined;
  const slice = () => {
    for (const item of items.slice(next, next + size)) each(item);
    next += size;
    timer = next < items.length ? clock.after(SLICE_MS, slice) : undefined;
  };
  slice();
  return { cancel: () => timer?.cancel() };
}

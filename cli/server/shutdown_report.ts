/** What a service that has ended leaves behind, and what it had to cut off. Pure. @module */

/** What comes to nothing at every service that has it: its figures by these names. */
const HELD = ["connections", "pending", "timers", "queuedBytes", "waiting", "queued"] as const;

/** What an ended service still holds, as in `connections 1, timers 3`; `undefined` where it holds nothing, as it must. */
export function describeLeaks(stats: object): string | undefined {
  const left = HELD.map((name) => [name, figureOf(stats, name)] as const).filter(([, count]) => count > 0);
  return left.length === 0 ? undefined : left.map(([name, count]) => `${name} ${count}`).join(", ");
}

/** What an ended service did not end in order; `undefined` where there is nothing of the kind. */
export function describeAborted(stats: object): string | undefined {
  const timeouts: unknown = Reflect.get(stats, "timeouts");
  const cut = typeof timeouts === "object" && timeouts !== null ? figureOf(timeouts, "drain") : 0;
  const unsettled = figureOf(stats, "unsettled");
  const parts = [];
  if (cut > 0) parts.push(`connections cut at the drain timeout: ${cut}`);
  if (unsettled > 0) parts.push(`messages left without their ok: ${unsettled}`);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function figureOf(stats: object, name: string): number {
  const figure: unknown = Reflect.get(stats, name);
  return typeof figure === "number" ? figure : 0;
}

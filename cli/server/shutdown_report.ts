/** Reports what is left after a service has ended, and what it had to cut off. Pure. @module */

/** State that must be zero at the end of every service that has it, by name. */
const HELD = ["connections", "pending", "timers", "queuedBytes", "waiting", "queued"] as const;

/** Describes what an ended service still holds, such as `connections 1, timers 3`, or returns `undefined` if that is nothing. */
export function describeLeaks(stats: object): string | undefined {
  const left = HELD.map((name) => [name, figureOf(stats, name)] as const).filter(([, count]) => count > 0);
  return left.length === 0 ? undefined : left.map(([name, count]) => `${name} ${count}`).join(", ");
}

/** Describes what an ended service has cut off, or returns `undefined` if that is nothing. */
export function describeAborted(stats: object): string | undefined {
  const timeouts: unknown = Reflect.get(stats, "timeouts");
  const cut = typeof timeouts === "object" && timeouts !== null ? figureOf(timeouts, "drain") : 0;
  const unsettled = figureOf(stats, "unsettled");
  const parts = [];
  if (cut > 0) parts.push(`connections cut off at the drain timeout: ${cut}`);
  if (unsettled > 0) parts.push(`messages left without an ok: ${unsettled}`);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function figureOf(stats: object, name: string): number {
  const figure: unknown = Reflect.get(stats, name);
  return typeof figure === "number" ? figure : 0;
}

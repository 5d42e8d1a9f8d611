/** Server-sent events of a live feed. @module */
import type { LiveFeed } from "./target.ts";

/** Samples that wait for a slow client; older ones are dropped, because only the newest matter. */
const MAX_WAITING = 10;

/**
 * Yields the history of a feed as one event, then each sample as it comes, until `signal` aborts.
 *
 * @param signal Aborts when the client is gone or the program ends.
 */
export async function* eventStream(feed: LiveFeed, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: object[] = [];
  let wake = Promise.withResolvers<void>();
  const abort = () => wake.resolve();
  signal.addEventListener("abort", abort);
  using _ = feed.subscribe((sample) => {
    waiting.push(sample);
    if (waiting.length > MAX_WAITING) waiting.shift();
    wake.resolve();
  });
  try {
    yield event("history", feed.history);
    while (!signal.aborted) {
      const sample = waiting.shift();
      if (sample !== undefined) {
        yield event("sample", sample);
      } else {
        wake = Promise.withResolvers();
        if (signal.aborted) return;
        await wake.promise;
      }
    }
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What a relay server writes of its connections for a load test, and how that is read again. @module */
import type { RelayObserver } from "../../relay/server.ts";
import { formatAddress } from "../../socket/network.ts";
import type { AcceptedEvent, EndedEvent } from "./events.ts";
import { formatHistoryLine, parseHistoryLine } from "./line_format.ts";
import { LineFile, type LineFileOptions, readLines } from "./line_file.ts";

/** What a server saw of a connection. */
export type ServerConnectionEvent = AcceptedEvent | EndedEvent;

/**
 * Writes a line for every connection that is accepted and for every one that ends. Their times, `at`, are in ms since
 * 1970: a server knows nothing of runs.
 */
export class ServerEventWriter implements Disposable {
  readonly #file: LineFile;
  readonly #now: () => number;

  /**
   * Creates the file, or empties it.
   *
   * @param options.now The time in ms since 1970.
   */
  constructor(path: string | URL, { now, ...options }: LineFileOptions & { readonly now: () => number }) {
    this.#file = new LineFile(path, options);
    this.#now = now;
  }

  /** What the server is to call. */
  get observer(): Required<Pick<RelayObserver, "opened" | "closed">> {
    return {
      opened: ({ local, remote }) =>
        this.#write({ event: "accepted", at: this.#now(), ...written({ local, remote }) }),
      closed: ({ local, remote }, { type }) =>
        this.#write({ event: "ended", at: this.#now(), ...written({ local, remote }), reason: type }),
    };
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #write(event: ServerConnectionEvent): void {
    this.#file.write(formatHistoryLine(event));
  }
}

/**
 * What a {@linkcode ServerEventWriter} wrote, with its times counted from the beginning of a run.
 *
 * @param beganAt When the run began, in ms since 1970.
 */
export async function* readServerEvents(
  path: string | URL,
  beganAt: number,
): AsyncGenerator<ServerConnectionEvent> {
  let number = 0;
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      const event = parseHistoryLine(line, ++number);
      if (event.event === "accepted" || event.event === "ended") yield { ...event, at: event.at - beganAt };
    }
  }
}

function written(
  { local, remote }: {
    local: Parameters<typeof formatAddress>[0];
    remote: Parameters<typeof formatAddress>[0];
  },
): { local: string; remote: string } {
  return { local: formatAddress(local), remote: formatAddress(remote) };
}

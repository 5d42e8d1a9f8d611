/** The events that a relay server records of its connections, written and read. @module */
import type { RelayEvent } from "../../relay/server_options.ts";
import { formatAddress } from "../../socket/network.ts";
import type { AcceptedEvent, EndedEvent } from "./events.ts";
import { formatHistoryLine, parseHistoryLine } from "./line_format.ts";
import { LineFile, type LineFileOptions, readLines } from "./line_file.ts";

/** An event of a connection, as the server saw it. */
export type ServerConnectionEvent = AcceptedEvent | EndedEvent;

/**
 * Writes a line for every accepted and every ended connection. Times are in ms since 1970, because a server does not
 * know when a run began.
 */
export class ServerEventWriter implements Disposable {
  readonly #file: LineFile;
  readonly #now: () => number;

  /**
   * Creates the file, or empties it unless `append` is set.
   *
   * @param options.now Returns the time in ms since 1970
   */
  constructor(path: string | URL, { now, ...options }: LineFileOptions & { readonly now: () => number }) {
    this.#file = new LineFile(path, options);
    this.#now = now;
  }

  /** Writes an event of the server, if it is about a connection that joins or closes. */
  write(event: RelayEvent): void {
    if (event.type === "joined") {
      this.#write({ event: "accepted", at: this.#now(), ...written(event.connection) });
    } else if (event.type === "closed") {
      const { connection, reason } = event;
      this.#write({ event: "ended", at: this.#now(), ...written(connection), reason: reason.type });
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #write(event: ServerConnectionEvent): void {
    this.#file.write(formatHistoryLine(event));
  }
}

/**
 * Reads the events of a {@linkcode ServerEventWriter}, with times from the beginning of a run. They are in order of time,
 * also if several processes wrote them.
 *
 * @param beganAt When the run began, in ms since 1970
 */
export async function* readServerEvents(
  path: string | URL,
  beganAt: number,
): AsyncGenerator<ServerConnectionEvent> {
  const events: ServerConnectionEvent[] = [];
  let number = 0;
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      const event = parseHistoryLine(line, ++number);
      if (event.event === "accepted" || event.event === "ended") {
        events.push({ ...event, at: event.at - beganAt });
      }
    }
  }
  yield* events.sort((one, other) => one.at - other.at);
}

function written(
  { local, remote }: {
    local: Parameters<typeof formatAddress>[0];
    remote: Parameters<typeof formatAddress>[0];
  },
): { local: string; remote: string } {
  return { local: formatAddress(local), remote: formatAddress(remote) };
}

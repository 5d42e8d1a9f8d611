/** A service that answers any request with Hello World after a delay. @module */
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import type { Connection } from "../../socket/connection.ts";
import { isClientHello } from "../../internal/tls_hello.ts";
import { FramingError } from "../../socket/errors.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { systemClock } from "../../socket/tcp.ts";
import { refusalResponse } from "../http/refusal.ts";
import { serializeResponse } from "../../http/response.ts";
import { sleep } from "../../internal/sleep.ts";
import { ListenerService, type ServiceOptions } from "../service.ts";

/** Options of {@linkcode startHello}. */
export interface HelloOptions extends ServiceOptions {
  /** Time in ms from the request to the answer. Default 4000. */
  delay?: number;
}

/** Counters of a hello service. */
export interface HelloStats extends ListenerStats {
  /** Clients whose delay runs. */
  readonly delayed: number;
}

const DELAY = 4000;
const PLAIN_TEXT = "This port speaks plain text, not TLS";

/**
 * Starts a service that answers the first bytes of each connection, whatever they are unless TLS, with an HTTP response
 * that says `Hello World!`, and closes. Waiting clients cost nothing but their sockets.
 *
 * @returns The service, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startHello } from "@okline/okline/services";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startHello({ delay: 0 });
 * const response = await fetch(`http://127.0.0.1:${server.port}/`);
 * assertEquals(await response.text(), "Hello World!\n");
 * ```
 */
export function startHello(options: HelloOptions = {}): ListenerService<Uint8Array, HelloStats> {
  const { delay = DELAY, clock = systemClock } = options;
  let delayed = 0;
  const wait = async (client: Connection<Uint8Array>): Promise<void> => {
    const gone = new AbortController();
    void client.closed.then(() => gone.abort());
    delayed++;
    try {
      await sleep(delay, clock, gone.signal);
    } catch (error) {
      // The client has gone.
      if (!gone.signal.aborted) throw error;
    } finally {
      delayed--;
    }
  };
  const handler = async (client: Connection<Uint8Array>): Promise<void> => {
    const { done, value: [start] = [] } = await client.batches().next();
    if (done) return;
    if (start !== undefined && isClientHello(start)) {
      client.send(answer(400, `${PLAIN_TEXT}\n`));
      throw new FramingError("tls", PLAIN_TEXT);
    }
    if (delay > 0) await wait(client);
    client.send(answer(200, "Hello World!\n"));
  };
  const listener = listen({ ...options, codec: bytesCodec, refusal: refusalResponse });
  return new ListenerService(listener, handler, { ...options, stats: (stats) => ({ ...stats, delayed }) });
}

function answer(status: 200 | 400, body: string): Uint8Array {
  return serializeResponse(
    { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body },
    { request: undefined, keepAlive: false, date: new Date() },
  );
}

/** A small web server on the project's own sockets. @module */
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import type { ConnectionTimeouts } from "../../socket/connection_options.ts";
import type { ListenLimits } from "../../socket/listen_options.ts";
import { listen, type ListenerStats } from "../../socket/listener.ts";
import { systemClock } from "../../socket/tcp.ts";
import { HttpSession } from "./session.ts";
import { ItemStore } from "./item_store.ts";
import { refusalResponse } from "./refusal.ts";
import type { RequestLimits } from "../../http/request_parser.ts";
import { ListenerService, type ServiceOptions } from "../service.ts";

/** Limits of an HTTP service. */
export interface HttpLimits extends ListenLimits, RequestLimits {
  /** Limit of items in the store. Default 10,000. */
  maxItems?: number;
}

/** Timeouts of an HTTP service, in ms. */
export interface HttpTimeouts extends ConnectionTimeouts {
  /** Maximum time until a request is complete. Default 10,000. */
  request?: number;
  /** Maximum time that a connection stays open without a request. Default 60,000. */
  keepAlive?: number;
}

/** Options for {@linkcode startHttp}. */
export interface HttpOptions extends ServiceOptions {
  /** Limits of the listener, of each request, and of the store. */
  limits?: HttpLimits;
  /** Timeouts of connections and requests. */
  timeouts?: HttpTimeouts;
}

/** What an HTTP service counts. */
export interface HttpStats extends ListenerStats {
  /** Answers so far, by status. */
  readonly answers: Readonly<Record<number, number>>;
  /** Items in the store. */
  readonly items: number;
}

const REQUEST_TIMEOUT = 10_000;
const KEEP_ALIVE_TIMEOUT = 60_000;

/**
 * Starts a web server of HTTP/1.1: `/` is a page, `/time` the time as JSON, `/items` a store of JSON values with GET,
 * HEAD, POST, PUT and DELETE.
 *
 * @returns The service, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startHttp } from "@okline/okline/services";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startHttp();
 * const items = `http://127.0.0.1:${server.port}/items`;
 * const headers = { "Content-Type": "application/json" };
 * const response = await fetch(items, { method: "POST", headers, body: '"a thing"' });
 * assertEquals([response.status, await response.json()], [201, { id: 1, value: "a thing" }]);
 * ```
 */
export function startHttp(options: HttpOptions = {}): ListenerService<Uint8Array, HttpStats> {
  const { clock = systemClock, limits = {}, timeouts = {} } = options;
  const { maxItems } = limits;
  const store = new ItemStore({ now: () => new Date(), ...(maxItems === undefined ? {} : { maxItems }) });
  const answers: Record<number, number> = {};
  const sessionOptions = {
    store,
    clock,
    limits,
    requestTimeout: timeouts.request ?? REQUEST_TIMEOUT,
    keepAliveTimeout: timeouts.keepAlive ?? KEEP_ALIVE_TIMEOUT,
    answered: (status: number) => void (answers[status] = (answers[status] ?? 0) + 1),
  };
  const listener = listen({ ...options, codec: bytesCodec, refusal: refusalResponse });
  return new ListenerService(listener, async (connection, draining) => {
    const session = new HttpSession(connection, sessionOptions);
    using _ = draining.whenBegun(connection, () => session.drain());
    await session.run();
  }, {
    ...options,
    stats: (stats) => ({ ...stats, answers: { ...answers }, items: store.size }),
  });
}

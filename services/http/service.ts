/** A small web server on the project's own sockets. @module */
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import type { ConnectionTimeouts } from "../../socket/connection/options.ts";
import type { ListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { RequestLimits } from "../../http/request_parser.ts";
import { ListenerService, type ServiceOptions } from "../service.ts";
import { ItemStore, type ItemStoreOptions, MAX_ITEM_SIZE } from "./item_store.ts";
import { refusalResponse } from "./refusal.ts";
import { Resources } from "./resources.ts";
import { HttpSession } from "./session.ts";

/** Limits of an HTTP service. */
export interface HttpLimits extends ListenLimits, RequestLimits, ItemStoreOptions {}

/** Timeouts of an HTTP service, in ms. */
export interface HttpTimeouts extends ConnectionTimeouts {
  /** Longest time to receive a request. Default 10,000. */
  request?: number;
  /** Longest time that a connection stays open without a request. Default 60,000. */
  keepAlive?: number;
  /** Longest time in which a client accepts nothing of a response; 0 disables. Default 60,000. */
  write?: number;
}

/** Options for {@linkcode startHttp}. */
export interface HttpOptions extends ServiceOptions {
  /** Limits of the listener, of each request, and of the store. */
  limits?: HttpLimits;
  /** Timeouts of connections and requests. */
  timeouts?: HttpTimeouts;
  /** Returns the time of day, for `/time`. Default: that of the system. */
  now?: () => Date;
}

/** Counters of an HTTP service. */
export interface HttpStats extends ListenerStats {
  /** Responses by status. */
  readonly answers: Readonly<Record<number, number>>;
  /** Items in the store. */
  readonly items: number;
  /** Limit of `items`. */
  readonly maxItems: number;
  /** Bytes of the JSON text of all items. */
  readonly storedBytes: number;
  /** Limit of `storedBytes`. */
  readonly maxStore: number;
}

const DEFAULT_TIMEOUTS = { request: 10_000, keepAlive: 60_000, write: 60_000 };

/**
 * Starts an HTTP/1.1 server: `/` is a page, `/time` the time as JSON, and `/items` a store of JSON values with GET,
 * HEAD, POST, PUT, and DELETE.
 *
 * A response is sent no faster than the client reads it, so each connection uses a limited amount of memory: the body of
 * one request (`maxBody`), one item, and about 128 KiB. All items together are limited by `maxStore`.
 *
 * @returns The service, which is listening.
 * @throws {RangeError} If `maxBody` is over 268,435,456 (256 MiB).
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
  const { clock = systemClock, limits = {}, now = () => new Date() } = options;
  const { maxBody = 0 } = limits;
  if (maxBody > MAX_ITEM_SIZE) {
    throw new RangeError(`Cannot use maxBody ${maxBody}: expected up to ${MAX_ITEM_SIZE} bytes`);
  }
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const store = new ItemStore(limits);
  const answers: Record<number, number> = {};
  const sessionOptions = {
    resources: new Resources({ store, now }),
    clock,
    limits,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    onResponse: (status: number) => void (answers[status] = (answers[status] ?? 0) + 1),
  };
  const listener = listen({ ...options, timeouts, codec: bytesCodec, refusal: refusalResponse });
  return new ListenerService(listener, async (connection, draining) => {
    const session = new HttpSession(connection, sessionOptions);
    using _ = draining.whenBegun(connection, () => session.drain());
    await session.run();
  }, {
    ...options,
    stats: (stats) => ({ ...stats, answers: { ...answers }, ...store.stats() }),
  });
}

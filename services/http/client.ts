/** A small HTTP/1.1 client on the project's own sockets. @module */
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import { connect, type Dial } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { describeCloseReason } from "../../socket/errors.ts";
import type { Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { HTTP_ALPN, isToken } from "../../http/grammar.ts";
import {
  HttpResponseError,
  type ResponseEvent,
  type ResponseHead,
  ResponseParser,
} from "../../http/response_parser.ts";

/** What to ask, and how. */
export interface HttpRequestOptions extends Pick<Dial, "signal"> {
  /** Default `GET`. */
  method?: string;
  /** Fields besides Host, Connection and Content-Length, which are set. */
  headers?: HeadersInit;
  /** Text is sent as UTF-8. Default: none. */
  body?: string | Uint8Array;
  /** Longest time in ms to connect, and longest silence of the server after that; 0 for no bound. Default 30,000. */
  timeout?: number;
  /**
   * Default: the real one. For an `https:` URL a `TlsNetwork` is used as it is, and TLS that trusts the runtime's
   * authorities is spoken over any other.
   */
  network?: Network;
  /** Default: the system clock. */
  clock?: Clock;
}

/** A response whose body is still to be read: to its end, or else the response is to be disposed of. */
export interface HttpResponse extends ResponseHead, AsyncDisposable {
  /** The body in the pieces in which it comes, without the framing. Throws {@linkcode HttpResponseError} if it ends early. */
  readonly body: AsyncIterableIterator<Uint8Array>;
}

const TIMEOUT = 30_000;
const LEAVE_TIMEOUT = 500;

/**
 * Asks a server for one thing, by `http:` or `https:`, over a connection of its own. Redirects are not followed:
 * `fetch` follows them.
 *
 * @returns The response, as soon as its head is there.
 * @throws {TypeError} If the URL, the method or a field cannot be sent.
 * @throws {HttpResponseError} If what comes is no response.
 * @throws The signal's reason, when it aborts before the end of the body; and as {@linkcode connect} does.
 *
 * @example
 * ```ts
 * import { requestHttp, startHello } from "@okline/okline/services";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startHello({ delay: 0 });
 * await using response = await requestHttp(`http://127.0.0.1:${server.port}/`);
 * let text = "";
 * for await (const bytes of response.body) text += new TextDecoder().decode(bytes);
 * assertEquals([response.status, text], [200, "Hello World!\n"]);
 * ```
 */
export async function requestHttp(
  url: string | URL,
  options: HttpRequestOptions = {},
): Promise<HttpResponse> {
  const { method = "GET", timeout = TIMEOUT, network = systemNetwork, clock, signal } = options;
  const target = parseUrl(url);
  const request = serializeRequest(target, options);
  const connection = await connect({
    hostname: target.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(target.port || (isSecure(target) ? 443 : 80)),
    codec: bytesCodec,
    // All that was asked for is there: a server that does not close is left at once.
    timeouts: { connect: timeout, idle: timeout, drain: LEAVE_TIMEOUT },
    network: isSecure(target) ? await httpsNetwork(network) : network,
    ...(clock === undefined ? {} : { clock }),
    ...(signal === undefined ? {} : { signal }),
  });
  const cancel = () => connection.abort({ type: "local", why: "canceled" });
  signal?.addEventListener("abort", cancel, { once: true });
  void connection.closed.then(() => signal?.removeEventListener("abort", cancel));
  connection.send(request);
  const events = readEvents(connection, new ResponseParser(method), signal);
  const first = await events.next();
  if (first.done || first.value.type !== "head") throw new HttpResponseError("Response has no head");
  return {
    ...first.value.head,
    body: readBody(events),
    async [Symbol.asyncDispose]() {
      // Whatever of the body nobody wanted: it may be long, or endless.
      connection.abort();
      await connection.closed;
    },
  };
}

async function* readBody(events: AsyncIterableIterator<ResponseEvent>): AsyncIterableIterator<Uint8Array> {
  for await (const event of events) {
    if (event.type === "data") yield event.data;
  }
}

/** Closes the connection when the response is complete, has failed, or nobody wants the rest. */
async function* readEvents(
  connection: Connection<Uint8Array>,
  parser: ResponseParser,
  signal?: AbortSignal,
): AsyncIterableIterator<ResponseEvent> {
  try {
    for await (const bytes of connection) {
      yield* parser.push(bytes);
      if (parser.done) return;
    }
    if (!connection.open) {
      signal?.throwIfAborted();
      const why = describeCloseReason(await connection.closed);
      throw new HttpResponseError(`Connection closed before the response was complete (${why})`);
    }
    yield* parser.end();
  } finally {
    if (parser.done) await connection.close();
    else connection.abort();
  }
}

function parseUrl(url: string | URL): URL {
  const target = URL.parse(String(url));
  if (target === null) {
    throw new TypeError(
      `Cannot request ${JSON.stringify(String(url))}: it is no URL, as http://127.0.0.1:8890/ is`,
    );
  }
  if (target.protocol !== "http:" && !isSecure(target)) {
    throw new TypeError(`Cannot request ${target.href}: expected http: or https:, got ${target.protocol}`);
  }
  return target;
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:";
}

// One for each network, however many requests are sent by it: to read the authorities is a third of what a dial costs.
const secured = new WeakMap<Network, Promise<Network>>();

/** What an `https:` URL is dialed by, see {@linkcode HttpRequestOptions.network}. */
export async function httpsNetwork(network: Network): Promise<Network> {
  const { TlsNetwork } = await import("../../tls/mod.ts");
  if (network instanceof TlsNetwork) return network;
  const known = secured.get(network) ?? securedNetwork(network, { alpn: HTTP_ALPN });
  secured.set(network, known);
  return await known;
}

function serializeRequest(target: URL, options: HttpRequestOptions): Uint8Array {
  const { method = "GET", body } = options;
  if (!isToken(method)) throw new TypeError(`Cannot request by ${JSON.stringify(method)}: it is no method`);
  const headers = new Headers(options.headers);
  headers.set("Host", target.host);
  headers.set("Connection", "close");
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body ?? new Uint8Array(0);
  // RFC 9110, 8.6: a method that means a body has a length even where there is none.
  if (body !== undefined || method === "POST" || method === "PUT") {
    headers.set("Content-Length", String(content.length));
  }
  let head = `${method} ${target.pathname}${target.search} HTTP/1.1\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  // `Headers` lets nothing above U+00FF in.
  const start = Uint8Array.from(`${head}\r\n`, (character) => character.charCodeAt(0));
  const whole = new Uint8Array(start.length + content.length);
  whole.set(start);
  whole.set(content, start.length);
  return whole;
}

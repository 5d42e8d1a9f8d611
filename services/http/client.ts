/** A small HTTP/1.1 client on the project's own sockets. @module */
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import { connect, type Dial } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError, describeCloseReason } from "../../socket/errors.ts";
import type { Network } from "../../socket/network.ts";
import { Timeouts } from "../../socket/connection/timeouts.ts";
import type { Clock } from "../../internal/clock.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import { systemClock, systemNetwork } from "../../socket/tcp.ts";
import { framesOf } from "../../http/frames.ts";
import { HTTP_ALPN, isToken, latin1Bytes } from "../../http/grammar.ts";
import {
  HttpResponseError,
  type ResponseEvent,
  type ResponseHead,
  ResponseParser,
} from "../../http/response_parser.ts";
import { sendFrames } from "./send_frames.ts";

/** Options for {@linkcode requestHttp}. */
export interface HttpRequestOptions extends Pick<Dial, "signal"> {
  /** Default `GET`. */
  method?: string;
  /** Fields in addition to Host, Connection, and Content-Length, which are always set. */
  headers?: HeadersInit;
  /** Text is sent as UTF-8. Default: none. */
  body?: string | Uint8Array;
  /**
   * Longest time to connect, and then longest time in which the server neither accepts anything of the request nor
   * sends anything of the response, in ms; 0 disables. Default 30,000.
   */
  timeout?: number;
  /**
   * Default: the real one. For an `https:` URL, a `TlsNetwork` is used as it is. Over any other network, the client uses
   * TLS that trusts the authorities of the runtime.
   */
  network?: Network;
  /** Default: the system clock. */
  clock?: Clock;
}

/** A response. Read its body to the end, or dispose of the response. */
export interface HttpResponse extends ResponseHead, AsyncDisposable {
  /** The body in pieces, as they arrive. Throws {@linkcode HttpResponseError} if the body is cut off. */
  readonly body: AsyncIterableIterator<Uint8Array>;
}

const TIMEOUT = 30_000;
const CLOSE_TIMEOUT = 500;

/**
 * Sends a request over `http:` or `https:`, on its own connection. It does not follow redirects; `fetch` does.
 *
 * Up to 100 interim responses (1xx) are discarded. A folded header line is read as one line, with a space in place of
 * the fold.
 *
 * @returns The response, as soon as its head has arrived.
 * @throws {TypeError} If the URL, the method, or a header is invalid.
 * @throws {HttpResponseError} If the server does not send a response.
 * @throws The reason of the signal, if it aborts before the end of the body; and as {@linkcode connect} does.
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
  const { method = "GET", timeout = TIMEOUT, network = systemNetwork, clock = systemClock, signal } = options;
  const target = parseUrl(url);
  const request = serializeRequest(target, options);
  const connection = await connect({
    hostname: target.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(target.port || (isSecure(target) ? 443 : 80)),
    codec: bytesCodec,
    // The response is complete when the connection closes, so a server that does not close its side has nothing to add.
    timeouts: { connect: timeout, write: timeout, drain: CLOSE_TIMEOUT },
    network: isSecure(target) ? await httpsNetwork(network) : network,
    clock,
    ...(signal === undefined ? {} : { signal }),
  });
  const cancel = () => connection.abort({ type: "local", why: "canceled" });
  signal?.addEventListener("abort", cancel, { once: true });
  const silence = new Silence(connection, { clock, timeout });
  void connection.closed.then(() => {
    signal?.removeEventListener("abort", cancel);
    silence.stop();
  });
  void sendRequest(connection, request, silence);
  const events = readEvents(connection, { parser: new ResponseParser(method), signal, silence });
  const first = await events.next();
  if (first.done || first.value.type !== "head") throw new HttpResponseError("Response has no head");
  return {
    ...first.value.head,
    body: readBody(events),
    async [Symbol.asyncDispose]() {
      // The rest of the body may be long, or endless.
      connection.abort();
      await connection.closed;
    },
  };
}

/** Closes the connection to a server that is silent while the client waits. */
class Silence {
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  #sent = false;
  #waiting = false;
  #since = 0;

  constructor(
    connection: Connection<Uint8Array>,
    { clock, timeout }: { readonly clock: Clock; readonly timeout: number },
  ) {
    this.#clock = clock;
    this.#timeouts = new Timeouts(clock, (which, ms) => connection.abort({ type: "timeout", which, ms }));
    this.#timeouts.watch("idle", timeout, () => this.#sent && this.#waiting ? this.#since : undefined);
  }

  /** Yields the pieces of a connection. Time between a piece and the request for the next does not count. */
  async *watch(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    this.#wait();
    for await (const bytes of pieces) {
      this.#waiting = false;
      yield bytes;
      this.#wait();
    }
  }

  /** Starts to count, when the request is sent. Until then, the server may have to read before it can respond. */
  requestSent(): void {
    this.#sent = true;
    this.#since = this.#clock.now();
  }

  stop(): void {
    this.#timeouts.cancel();
  }

  #wait(): void {
    this.#waiting = true;
    this.#since = this.#clock.now();
  }
}

/** Sends a request while the response is awaited, because a server may refuse it early. */
async function sendRequest(
  connection: Connection<Uint8Array>,
  request: readonly Uint8Array[],
  silence: Silence,
): Promise<void> {
  try {
    await sendFrames(connection, framesOf(request));
    silence.requestSent();
  } catch (error) {
    // The reader of the response gets the reason.
    if (!(error instanceof ConnectionClosedError)) throw error;
  }
}

async function* readBody(events: AsyncIterableIterator<ResponseEvent>): AsyncIterableIterator<Uint8Array> {
  for await (const event of events) {
    if (event.type === "data") yield event.data;
  }
}

interface Reading {
  readonly parser: ResponseParser;
  readonly signal: AbortSignal | undefined;
  readonly silence: Silence;
}

/** Reads a response, and closes the connection when the response is complete, has failed, or is abandoned. */
async function* readEvents(
  connection: Connection<Uint8Array>,
  { parser, signal, silence }: Reading,
): AsyncIterableIterator<ResponseEvent> {
  try {
    for await (const bytes of silence.watch(connection)) {
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
      `Cannot request ${JSON.stringify(String(url))}: expected a URL, for example http://127.0.0.1:8890/`,
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

// One for each network, because reading the authorities takes a third of the time of a connection.
const secured = new WeakMap<Network, Promise<Network>>();

/** Returns the network for `https:` URLs; see {@linkcode HttpRequestOptions.network}. */
export async function httpsNetwork(network: Network): Promise<Network> {
  const { TlsNetwork } = await import("../../tls/mod.ts");
  if (network instanceof TlsNetwork) return network;
  const known = secured.get(network) ?? securedNetwork(network, { alpn: HTTP_ALPN });
  secured.set(network, known);
  return await known;
}

function serializeRequest(target: URL, options: HttpRequestOptions): readonly Uint8Array[] {
  const { method = "GET", body } = options;
  if (!isToken(method)) {
    throw new TypeError(`Cannot use method ${JSON.stringify(method)}: expected a token, for example GET`);
  }
  const headers = new Headers(options.headers);
  headers.set("Host", target.host);
  headers.set("Connection", "close");
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body ?? new Uint8Array(0);
  // RFC 9110, 8.6: a method that defines a meaning for a body has a length even if the body is empty.
  if (body !== undefined || method === "POST" || method === "PUT") {
    headers.set("Content-Length", String(content.length));
  }
  let head = `${method} ${target.pathname}${target.search} HTTP/1.1\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return [latin1Bytes(`${head}\r\n`), content]; // `Headers` admits only characters of one byte.
}

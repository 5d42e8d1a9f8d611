/** HTTP for the admin server, with limits on slow and numerous clients. @module */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { normalizePath } from "../http/grammar.ts";
import { Acceptor } from "../socket/listener/acceptor.ts";
import type { Address } from "../socket/network.ts";
import { removeStaleSocket, systemClock, systemNetwork } from "../socket/tcp.ts";
import { TransportStream } from "./transport_stream.ts";
import type { AdminRequest, AdminResponse } from "./request.ts";
import { errorResponse } from "./request.ts";

/** Options for {@linkcode HttpListener.start}. */
export interface HttpListenerOptions {
  readonly address: Address;
  readonly handle: (request: AdminRequest) => AdminResponse | Promise<AdminResponse>;
  /** Receives what `handle` throws; the client gets status 500. */
  readonly onError: (error: Error) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** Limits of clients, times in ms. */
export interface HttpLimits {
  /** Open connections; further ones are closed immediately. Default 64. */
  readonly maxConnections: number;
  /** Longest wait for all of a request, and for the next one. Default 5,000. */
  readonly requestTimeout: number;
  /** Longest time for which a client reads nothing of a response. Default 10,000. */
  readonly stallTimeout: number;
}

const LIMITS: HttpLimits = { maxConnections: 64, requestTimeout: 5000, stallTimeout: 10_000 };
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_TARGET = 2048;
// A server must accept a target in absolute form, whose authority takes precedence over Host (RFC 9112, 3.2.2).
const ABSOLUTE = /^http:\/\/([^/?]+)(\/.*)$/i;

const SECURITY: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};

/**
 * A bound HTTP server.
 *
 * It uses `node:http` and not `Deno.serve`, which limits neither its connections nor the time that a client takes for
 * a request: clients that send half a request each would keep a descriptor of the service forever.
 *
 * It accepts by itself, because both of them stop accepting for good when the process is out of descriptors once.
 */
export class HttpListener {
  readonly address: Address;
  readonly #server: Server;
  readonly #acceptor: Acceptor;
  readonly #accepting: Promise<void>;
  readonly #open = new Set<TransportStream>();
  readonly #limits: HttpLimits;
  readonly #options: HttpListenerOptions;
  #closed = false;
  #active = 0;
  #idle = Promise.withResolvers<void>();

  private constructor(acceptor: Acceptor, options: HttpListenerOptions) {
    this.#acceptor = acceptor;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.address = acceptor.addresses[0]!;
    const { requestTimeout } = this.#limits;
    this.#server = createServer({
      headersTimeout: requestTimeout,
      requestTimeout,
      keepAliveTimeout: requestTimeout,
      connectionsCheckingInterval: Math.max(10, requestTimeout / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    // A server that does not listen closes a connection after its first response.
    Object.defineProperty(this.#server, "listening", { get: () => !this.#closed });
    // Timeouts begin with this event.
    this.#server.emit("listening");
    this.#accepting = this.#accept().catch(options.onError);
  }

  /**
   * Binds and starts to serve.
   *
   * @throws {Error} With a `code` such as `EADDRINUSE` if the address cannot be bound.
   */
  static async start(options: HttpListenerOptions): Promise<HttpListener> {
    const { hostname, port } = options.address;
    await removeStaleSocket(hostname);
    const acceptor = new Acceptor({
      network: systemNetwork,
      clock: systemClock,
      hostnames: [hostname],
      tryHostnames: [],
      port,
      reusePort: false,
      maxAcceptRate: 0,
      onEvent: () => {},
      onChange: () => {},
    });
    return new HttpListener(acceptor, options);
  }

  /** Stops accepting, waits up to `within` ms for responses in progress, and closes every connection. */
  async close(within = 2000): Promise<void> {
    this.#closed = true;
    this.#acceptor.close();
    this.#server.closeIdleConnections();
    if (this.#active > 0) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, within);
      await Promise.race([this.#idle.promise, late.promise]);
      clearTimeout(timer);
    }
    for (const stream of this.#open) stream.destroy();
    this.#server.emit("close"); // Ends the checks of timeouts.
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const [socket] = this.#acceptor.sockets;
    for (;;) {
      const transport = await this.#acceptor.accept(socket!);
      if (transport === undefined) return;
      if (this.#open.size >= this.#limits.maxConnections) {
        transport.close();
        continue;
      }
      const stream = new TransportStream(transport);
      this.#open.add(stream);
      stream.on("close", () => void this.#open.delete(stream));
      this.#server.emit("connection", stream);
    }
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#active++;
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    message.resume();
    try {
      const result = await this.#handle(message, gone.signal);
      await this.#send(response, result, message.method === "HEAD");
    } catch (error) {
      if (!gone.signal.aborted) {
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      }
      response.destroy();
    } finally {
      this.#active--;
      if (this.#active === 0) {
        this.#idle.resolve();
        this.#idle = Promise.withResolvers();
      }
    }
  }

  async #handle(message: IncomingMessage, signal: AbortSignal): Promise<AdminResponse> {
    const target = message.url ?? "";
    const [, authority, resource = target] = ABSOLUTE.exec(target) ?? [];
    if (!resource.startsWith("/") || target.length > MAX_TARGET) {
      return errorResponse(400, "Cannot parse the target");
    }
    const [, path = "", query = ""] = /^([^?]*)\??(.*)$/.exec(resource) ?? [];
    try {
      return await this.#options.handle({
        method: message.method ?? "",
        path: normalizePath(path),
        query: new URLSearchParams(query),
        header: (name) =>
          name === "host" && authority !== undefined ? [authority] : valuesOf(message.rawHeaders, name),
        signal,
      });
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      return errorResponse(500, "Internal error");
    }
  }

  async #send(
    response: ServerResponse,
    { status, headers, body }: AdminResponse,
    head: boolean,
  ): Promise<void> {
    response.writeHead(status, {
      ...SECURITY,
      ...headers,
      ...(typeof body === "string" ? { "Content-Length": new TextEncoder().encode(body).length } : {}),
    });
    if (head) {
      response.end();
    } else if (typeof body === "string") {
      response.end(body);
    } else {
      for await (const piece of body) {
        if (!response.write(piece)) await this.#unlessStalled(response, "drain");
      }
      response.end();
    }
    await this.#unlessStalled(response, "finish");
  }

  /** Waits until the client has read enough; closes its connection if it reads nothing. */
  async #unlessStalled(response: ServerResponse, event: "drain" | "finish"): Promise<void> {
    if (event === "finish" && response.writableFinished || response.destroyed) return;
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(() => response.destroy(), this.#limits.stallTimeout);
    response.once(event, done.resolve);
    response.once("close", done.resolve);
    await done.promise;
    clearTimeout(timer);
    response.off(event, done.resolve);
    response.off("close", done.resolve);
  }
}

/** All values of a header: `headers` of Node's request joins or drops repeated ones. */
function valuesOf(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]!.toLowerCase() === name) values.push(raw[at + 1]!);
  }
  return values;
}

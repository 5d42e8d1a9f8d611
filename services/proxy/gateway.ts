/** The part that proxy and balancer share: the client's address, a connection to a backend, and a tunnel. @module */
import { type AddressCheck, addressCheck } from "../../access/address_list.ts";
import type { ConnectionTimeouts } from "../../socket/connection/options.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, ConnectError } from "../../socket/errors.ts";
import type { Address, Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import type { ListenerEvent } from "../../socket/listener/event.ts";
import type { EndedConnection, ServiceOptions } from "../service.ts";
import { EarlyReader } from "./early_reader.ts";
import { formatProxyHeader } from "./proxy_protocol/format.ts";
import { type ProxiedEnds, ProxyProtocolError, type ProxyProtocolVersion } from "./proxy_protocol/header.ts";
import { ProxyHeaderReader, type ReadHeader } from "./proxy_protocol/reader.ts";
import { tunnel } from "./tunnel.ts";

/** Timeouts that proxy and balancer share, in ms. */
export interface GatewayTimeouts extends ConnectionTimeouts {
  /** Maximum time that one connect to a backend may take. Default 5000. */
  connect?: number;
}

/** Options that proxy and balancer share. */
export interface GatewayOptions extends ServiceOptions {
  /** Timeouts of clients and backends. `idle` counts bytes in both directions. */
  timeouts?: GatewayTimeouts;
  /**
   * Addresses or networks (`10.0.0.0/8`) of trusted proxies. Only these may connect, and each connection must start with a
   * PROXY protocol header. `access.mayConnect` then applies to the client that the header names, or to the proxy if it names none.
   * Default: no headers, and every address may connect.
   */
  proxyIn?: readonly string[];
  /** Version of the PROXY protocol header to send to backends. Default: no header. */
  proxyOut?: ProxyProtocolVersion;
  /** Network to dial backends, as with TLS on one side only. Default: `network`. */
  backendNetwork?: Network;
  /** Receives the events of the listener, and of each connection that has ended. */
  onEvent?: (event: GatewayEvent) => void;
}

/** An event of a proxy or balancer. */
export type GatewayEvent =
  | ListenerEvent<EndedConnection>
  /** A connection has ended, and so has the one to its backend, if any. */
  | { readonly type: "passed"; readonly passed: Passed };

/** A connection that has ended, whether it reached a backend or not. */
export interface Passed {
  /** Client's address: from the PROXY header if there is one, otherwise from the socket. */
  readonly source: Address;
  /** Undefined if no backend could be reached. */
  readonly backend: Address | undefined;
  /** Bytes that the client sent. */
  readonly bytesFromClient: number;
  /** Bytes that the backend sent. */
  readonly bytesFromBackend: number;
  /** From accepting the client to its end, in ms. */
  readonly durationMs: number;
  /** Why the client's connection ended. */
  readonly reason: CloseReason;
}

/** A connection to a backend. `release` is called once, after the connection has ended. */
export interface Upstream {
  readonly connection: Connection<Uint8Array>;
  release(): void;
}

/**
 * Connects to a backend for a client, until it is connected or the client's connection closes.
 *
 * @param source The client's address.
 * @throws {ConnectError} If no backend can be reached.
 */
export type OpenUpstream = (source: Address, client: Connection<Uint8Array>) => Promise<Upstream>;

const HEADER_TIMEOUT = 5000;

/** Serves each client by a tunnel to the backend that `open` returns. */
export class Gateway {
  readonly #options: GatewayOptions & { readonly clock: Clock };
  readonly #isTrusted: AddressCheck | undefined;
  readonly #open: OpenUpstream;
  readonly #passed: (passed: Passed) => void;

  /**
   * @param passed Receives each connection that has ended.
   * @throws {RangeError} If an entry of `proxyIn` is neither an address nor a network.
   */
  constructor(
    options: GatewayOptions & { readonly clock: Clock },
    { open, passed }: { readonly open: OpenUpstream; readonly passed: (passed: Passed) => void },
  ) {
    this.#options = options;
    this.#isTrusted = options.proxyIn && addressCheck({ allow: options.proxyIn });
    this.#open = open;
    this.#passed = passed;
  }

  /** Serves one client. Returns when both connections have ended. */
  async serve(client: Connection<Uint8Array>): Promise<void> {
    const since = this.#options.clock.now();
    let ends: ProxiedEnds = { source: client.remote, destination: client.local };
    let upstream: Upstream | undefined;
    try {
      const read = this.#isTrusted && await this.#readHeader(client, this.#isTrusted);
      ends = read?.header.ends ?? ends;
      // The listener could not check this: only the header names the client.
      if (read && this.#options.access?.mayConnect?.(ends.source.hostname) === false) {
        throw new UnauthorizedError("Client's address is not allowed");
      }
      const early = new EarlyReader(client, read?.rest);
      upstream = await this.#open(ends.source, client);
      await this.#pass(client, upstream.connection, ends, early);
    } catch (error) {
      const why = reasonOf(error);
      // Closed in order, as below, the connection would look served.
      client.reset(why);
      // The listener reports it even if the client had gone.
      if (why.type === "handler-failed") throw why.error;
    } finally {
      upstream?.release();
      const reason = await client.close();
      this.#passed({
        source: ends.source,
        backend: upstream?.connection.remote,
        bytesFromClient: client.stats().bytesIn,
        bytesFromBackend: upstream?.connection.stats().bytesIn ?? 0,
        durationMs: this.#options.clock.now() - since,
        reason,
      });
    }
  }

  async #pass(
    client: Connection<Uint8Array>,
    backend: Connection<Uint8Array>,
    ends: ProxiedEnds,
    early: EarlyReader,
  ): Promise<void> {
    const { proxyOut, clock, timeouts } = this.#options;
    try {
      if (proxyOut) backend.send(formatProxyHeader(proxyOut, ends));
      await tunnel(client, backend, { clock, idleTimeout: timeouts?.idle ?? 0, early });
    } finally {
      // Both sides have finished, or both connections are closed already.
      backend.abort({ type: "natural" });
    }
  }

  async #readHeader(
    client: Connection<Uint8Array>,
    isTrusted: AddressCheck,
  ): Promise<ReadHeader> {
    if (!isTrusted(client.remote.hostname)) throw new UnauthorizedError("Client is not a trusted proxy");
    const ms = HEADER_TIMEOUT;
    const timer = this.#options.clock.after(
      ms,
      () => client.abort({ type: "timeout", which: "PROXY header", ms }),
    );
    try {
      const reader = new ProxyHeaderReader();
      for await (const bytes of client) {
        const read = reader.push(bytes);
        if (read) return read;
      }
      throw new ProxyProtocolError("Connection ended inside the PROXY header");
    } finally {
      timer.cancel();
    }
  }
}

/** A client or proxy that is not allowed to connect. */
class UnauthorizedError extends Error {}

/** Returns the close reason for a client that could not be passed on. */
function reasonOf(error: unknown): CloseReason {
  if (error instanceof UnauthorizedError) return { type: "unauthorized", why: error.message };
  if (error instanceof ConnectError || error instanceof ProxyProtocolError) {
    return { type: "local", why: error.message };
  }
  return { type: "handler-failed", error: error instanceof Error ? error : new Error(String(error)) };
}

/**
 * Returns the options of the gateway's listener. It has no idle timeout, which would count only what the client sends. With
 * `proxyIn` it admits every address, because the client's is known only after the header.
 */
export function listenerOptions(options: GatewayOptions): ServiceOptions {
  const { access, ...rest } = options;
  const listener: ServiceOptions = { ...rest, timeouts: { ...options.timeouts, idle: 0 } };
  return options.proxyIn === undefined && access !== undefined ? { ...listener, access } : listener;
}

/** What proxy and balancer share: a client, whose connection it is, a connection for it, bytes both ways. @module */
import { type AddressCheck, addressCheck } from "../../access/address_list.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, ConnectError } from "../../socket/errors.ts";
import type { Address, Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import type { ServiceOptions } from "../service.ts";
import {
  formatProxyHeader,
  type ProxiedEnds,
  ProxyHeaderReader,
  ProxyProtocolError,
  type ProxyProtocolVersion,
  type ReadHeader,
} from "./proxy_protocol/mod.ts";
import { tunnel } from "./tunnel.ts";

/** Options that proxy and balancer share. */
export interface GatewayOptions extends ServiceOptions {
  /** Time in ms that one connect to a backend may take. Default 5000. */
  connectTimeout?: number;
  /**
   * Addresses or networks (`10.0.0.0/8`) of proxies: from these, and only these, connections are taken, and each starts with
   * a PROXY protocol header. `mayConnect` judges the client that the header names then, and the proxy where it names none.
   * Default: no headers, all may connect.
   */
  proxyIn?: readonly string[];
  /** Sends backends a PROXY protocol header of this version. Default: none. */
  proxyOut?: ProxyProtocolVersion;
  /** What backends are dialled by, where that is not the `network` that clients come by, as with TLS on one side alone. */
  backendNetwork?: Network;
  /** Called for each connection that has ended; for logs. */
  onPassed?: (passed: Passed) => void;
}

/** One connection that went through, or failed to. */
export interface Passed {
  /** Whose it is: what the PROXY protocol says, or where the socket comes from. */
  readonly source: Address;
  /** Undefined if none could be reached. */
  readonly backend: Address | undefined;
  readonly bytesFromClient: number;
  readonly bytesFromBackend: number;
  readonly durationMs: number;
  /** Why the client's connection ended. */
  readonly reason: CloseReason;
}

/** A connection to a backend. `release` follows once, when it has ended. */
export interface Upstream {
  readonly connection: Connection<Uint8Array>;
  release(): void;
}

/**
 * Gets a client its backend.
 *
 * @param source The client's address.
 * @param signal Aborts when the client has gone.
 * @throws {ConnectError} If there is none to be had.
 */
export type OpenUpstream = (source: Address, signal: AbortSignal) => Promise<Upstream>;

export const CONNECT_TIMEOUT = 5000;
const HEADER_TIMEOUT = 5000;

/** Serves clients by passing them through to what `open` gives. */
export class Gateway {
  readonly #options: GatewayOptions & { readonly clock: Clock };
  readonly #isTrusted: AddressCheck | undefined;
  readonly #open: OpenUpstream;

  /** @throws {RangeError} If an entry of `proxyIn` is neither an address nor a network. */
  constructor(options: GatewayOptions & { readonly clock: Clock }, open: OpenUpstream) {
    this.#options = options;
    this.#isTrusted = options.proxyIn && addressCheck({ allow: options.proxyIn });
    this.#open = open;
  }

  /** Serves one client. */
  async serve(client: Connection<Uint8Array>): Promise<void> {
    const since = this.#options.clock.now();
    let ends: ProxiedEnds = { source: client.remote, destination: client.local };
    let upstream: Upstream | undefined;
    try {
      const read = this.#isTrusted && await this.#readHeader(client, this.#isTrusted);
      ends = read?.header.ends ?? ends;
      // Of the sockets alone the listener could not tell.
      if (read && this.#options.mayConnect?.(ends.source.hostname) === false) {
        throw new UnauthorizedError("Client's address is not allowed");
      }
      upstream = await this.#openFor(client, ends.source);
      await this.#pass(client, upstream.connection, ends, read?.rest);
    } catch (error) {
      const why = reasonOf(error);
      // A mistake here that the end of the client can no longer tell of is told by whoever runs this.
      if (!client.open && why.type === "handler-failed") throw error;
      // Now: ended in order, as below, it would look served.
      client.abort(why);
    } finally {
      upstream?.release();
      const reason = await client.close();
      this.#options.onPassed?.({
        source: ends.source,
        backend: upstream?.connection.remote,
        bytesFromClient: client.stats().bytesIn,
        bytesFromBackend: upstream?.connection.stats().bytesIn ?? 0,
        durationMs: this.#options.clock.now() - since,
        reason,
      });
    }
  }

  async #openFor(client: Connection<Uint8Array>, source: Address): Promise<Upstream> {
    let dialling = true;
    const gone = new AbortController();
    void client.closed.then(() => {
      if (dialling) gone.abort(new ConnectError("other", "Client has gone"));
    });
    try {
      return await this.#open(source, gone.signal);
    } finally {
      dialling = false;
    }
  }

  async #pass(
    client: Connection<Uint8Array>,
    backend: Connection<Uint8Array>,
    ends: ProxiedEnds,
    start: Uint8Array | undefined,
  ): Promise<void> {
    const { proxyOut, clock, idleTimeout = 0 } = this.#options;
    try {
      if (proxyOut) backend.send(formatProxyHeader(proxyOut, ends));
      if (start && start.length > 0) backend.send(start);
      await tunnel(client, backend, { clock, idleTimeout });
    } finally {
      // Both have finished and been told so, or both are closed already.
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
      for await (const bytes of client.frames()) {
        const read = reader.push(bytes);
        if (read) return read;
      }
      throw new ProxyProtocolError("Connection ended inside the PROXY header");
    } finally {
      timer.cancel();
    }
  }
}

/** A client that may not be passed on. */
class UnauthorizedError extends Error {}

/** Why a client is closed that could not be passed on: for who it is, for want of a backend, for its header, or by a mistake here. */
function reasonOf(error: unknown): CloseReason {
  if (error instanceof UnauthorizedError) return { type: "unauthorized", why: error.message };
  if (error instanceof ConnectError || error instanceof ProxyProtocolError) {
    return { type: "local", why: error.message };
  }
  return { type: "handler-failed", error: error instanceof Error ? error : new Error(String(error)) };
}

/** The options of the listener below: who is behind a proxy is known, and judged, only when the header has come. */
export function listenerOptions(options: GatewayOptions): ServiceOptions {
  if (options.proxyIn === undefined) return options;
  const { mayConnect: _, ...rest } = options;
  return rest;
}

/** The network for `connect` to a backend. */
export function backendDial({ backendNetwork, network }: GatewayOptions): { readonly network?: Network } {
  const dialled = backendNetwork ?? network;
  return dialled === undefined ? {} : { network: dialled };
}

/** One client of a proxy or balancer, from its first byte to its end. @module */
import type { AddressCheck } from "../../access/address_list.ts";
import type { Clock } from "../../internal/clock.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import type { Served } from "../service.ts";
import { formatProxyHeader } from "./proxy_protocol/format.ts";
import { type ProxiedEnds, ProxyProtocolError, type ProxyProtocolVersion } from "./proxy_protocol/header.ts";
import { readProxyHeader } from "./proxy_protocol/read_header.ts";
import { Tunnel, type TunnelOptions, type TunnelOwner } from "./tunnel.ts";
import type { OpenUpstream, PendingUpstream, UpstreamReceiver } from "./upstream.ts";

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

/** The parts that all passages of a gateway share. */
export interface PassageContext extends TunnelOptions {
  readonly clock: Clock;
  /** Checks proxies, which send a header. Undefined if clients send none. */
  readonly isTrusted: AddressCheck | undefined;
  /** Checks the client that a header names. */
  readonly mayConnect: ((address: string) => boolean) | undefined;
  readonly proxyOut: ProxyProtocolVersion | undefined;
  readonly open: OpenUpstream;
  /** Receives the connection when it has ended. */
  readonly passed: (passed: Passed) => void;
}

const NATURAL: CloseReason = { type: "natural" };

/**
 * Connects a client to a backend, and passes bytes on between them. It is made of calls, not of promises: for a connection
 * with one short request, those would take a third of the CPU time.
 */
export class Passage implements TunnelOwner, UpstreamReceiver {
  readonly #client: Connection<Uint8Array>;
  readonly #context: PassageContext;
  readonly #served: Served<Uint8Array>;
  /** The ends that a header gave. */
  #ends: ProxiedEnds | undefined;
  #tunnel: Tunnel | undefined;
  #dialing: PendingUpstream | undefined;
  #backend: Connection<Uint8Array> | undefined;
  #release: (() => void) | undefined;
  #over = false;

  /** Begins with a client, which is reported as served when it has ended. */
  constructor(client: Connection<Uint8Array>, context: PassageContext, served: Served<Uint8Array>) {
    this.#client = client;
    this.#context = context;
    this.#served = served;
    if (context.isTrusted === undefined) this.#open();
    else void this.#openAfterHeader(context.isTrusted);
  }

  connected(backend: Connection<Uint8Array>, release?: () => void): void {
    const { proxyOut } = this.#context;
    this.#backend = backend;
    this.#release = release;
    try {
      if (proxyOut !== undefined) backend.send(formatProxyHeader(proxyOut, this.#bothEnds));
    } catch (error) {
      return this.#fail(error);
    }
    this.#tunnel!.connect(backend, this.#context);
  }

  notConnected(error: unknown): void {
    this.#fail(error);
  }

  clientGone(): void {
    this.#dialing?.cancel();
    this.#finish();
  }

  tunnelEnded(): void {
    this.#finish();
  }

  tunnelFailed(error: unknown): void {
    this.#fail(error);
  }

  get #bothEnds(): ProxiedEnds {
    return this.#ends ?? { source: this.#client.remote, destination: this.#client.local };
  }

  get #source(): Address {
    return this.#ends?.source ?? this.#client.remote;
  }

  async #openAfterHeader(isTrusted: AddressCheck): Promise<void> {
    const { clock, mayConnect } = this.#context;
    try {
      if (!isTrusted(this.#client.remote.hostname)) {
        throw new UnauthorizedError("Client is not a trusted proxy");
      }
      const { header, rest } = await readProxyHeader(this.#client, clock);
      this.#ends = header.ends;
      // The listener could not check this: only the header names the client.
      if (mayConnect?.(this.#source.hostname) === false) {
        throw new UnauthorizedError("Client's address is not allowed");
      }
      this.#open(rest);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param start Input that was read before, if any. */
  #open(start?: Uint8Array): void {
    try {
      this.#tunnel = new Tunnel(this.#client, this, start);
      this.#dialing = this.#context.open(this.#source, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const why = reasonOf(error);
    // Closed in order, as below, the connection would look served.
    this.#client.reset(why);
    this.#finish(why.type === "handler-failed" ? why.error : undefined);
  }

  /** @param mistake An error of this program, which is reported even if the client had gone. */
  #finish(mistake?: Error): void {
    if (this.#over) return;
    this.#over = true;
    // Both sides have finished, or both connections are closed already.
    this.#backend?.abort(NATURAL);
    this.#release?.();
    void this.#client.close().then((reason) => this.#report(reason, mistake));
  }

  #report(reason: CloseReason, mistake: Error | undefined): void {
    const client = this.#client;
    const backend = this.#backend;
    const { bytesIn, openedAt } = client.stats();
    try {
      this.#context.passed({
        source: this.#source,
        backend: backend?.remote,
        bytesFromClient: bytesIn,
        bytesFromBackend: backend?.stats().bytesIn ?? 0,
        durationMs: this.#context.clock.now() - openedAt,
        reason,
      });
    } catch (cause) {
      return this.#served.failed(client, mistake ?? cause);
    }
    if (mistake === undefined) this.#served.served(client);
    else this.#served.failed(client, mistake);
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

/** The part that proxy and balancer share: options, and a passage for each client. @module */
import { addressCheck } from "../../access/address_list.ts";
import type { ConnectionTimeouts } from "../../socket/connection/options.ts";
import type { Connection } from "../../socket/connection.ts";
import type { Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import type { ListenerEvent } from "../../socket/listener/event.ts";
import type { ConnectionOpener, EndedConnection, Served, ServiceOptions } from "../service.ts";
import { Passage, type PassageContext, type Passed } from "./passage.ts";
import type { ProxyProtocolVersion } from "./proxy_protocol/header.ts";

export type { Passed } from "./passage.ts";

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

/** Connects clients to the backends that `open` finds. */
export class Gateway implements ConnectionOpener<Uint8Array> {
  readonly #context: PassageContext;

  /**
   * @param passed Receives each connection that has ended.
   * @throws {RangeError} If an entry of `proxyIn` is neither an address nor a network.
   */
  constructor(
    options: GatewayOptions & { readonly clock: Clock },
    { open, passed }: Pick<PassageContext, "open" | "passed">,
  ) {
    const { clock, proxyIn, proxyOut, timeouts, access } = options;
    this.#context = {
      clock,
      idleTimeout: timeouts?.idle ?? 0,
      isTrusted: proxyIn && addressCheck({ allow: proxyIn }),
      mayConnect: access?.mayConnect,
      proxyOut,
      open,
      passed,
    };
  }

  /** Serves one client, and reports it as served when both connections have ended. */
  open(client: Connection<Uint8Array>, served: Served<Uint8Array>): void {
    new Passage(client, this.#context, served);
  }
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

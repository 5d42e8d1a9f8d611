/** TLS as the option `tls` of servers and clients. @module */
import type { Clock } from "../internal/clock.ts";
import type { Network, NetworkLayer } from "../socket/network.ts";
import { systemNetwork } from "../socket/tcp.ts";
import type { TlsClientOptions, TlsServerOptions } from "./options.ts";
import { TlsNetwork } from "./network.ts";

/** Options for {@linkcode ServerTls}. */
export interface ServerTlsOptions extends TlsServerOptions {
  /** Maximum time in ms for a handshake; 0 disables. Default 10,000. */
  handshakeTimeout?: number;
}

/**
 * TLS for a server: the option `tls` of `listen`, `startRelay`, and every service.
 *
 * @example
 * ```ts ignore
 * import { listen } from "@okline/okline/socket";
 * import { ServerTls } from "@okline/okline/tls";
 *
 * const read = async () => ({
 *   identity: {
 *     certificate: await Deno.readTextFile("server.pem"),
 *     key: await Deno.readTextFile("server.key"),
 *   },
 * });
 * const tls = new ServerTls(await read());
 * await using server = listen({ port: 8000, tls });
 * Deno.addSignalListener("SIGHUP", async () => tls.reload(await read()));
 * ```
 */
export class ServerTls implements NetworkLayer {
  readonly #handshakeTimeout: number | undefined;
  #options: TlsServerOptions;
  readonly #networks: TlsNetwork[] = [];

  /**
   * Checks the options.
   *
   * @throws {TlsError} With the code `certificate`, if a certificate, key, or authority cannot be used.
   */
  constructor(options: ServerTlsOptions) {
    new TlsNetwork(systemNetwork, { server: options }); // Fails now rather than when a server starts.
    this.#options = options;
    this.#handshakeTimeout = options.handshakeTimeout;
  }

  /** Returns a network that accepts connections over TLS. `listen` calls it. */
  over(network: Network, clock: Clock): Network {
    const secured = new TlsNetwork(network, {
      server: this.#options,
      clock,
      ...(this.#handshakeTimeout === undefined ? {} : { handshakeTimeout: this.#handshakeTimeout }),
    });
    this.#networks.push(secured);
    return secured;
  }

  /**
   * Replaces all options, except the timeout, for connections that are accepted from now on.
   *
   * @throws {TlsError} With the code `certificate`, if they cannot be used. Then nothing changes.
   */
  reload(options: TlsServerOptions): void {
    for (const network of this.#networks) network.reload(options);
    this.#options = options;
  }
}

/**
 * TLS for a client: the option `tls` of `connect`, `runRelayClient`, and the other clients.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@okline/okline/socket";
 * import { ClientTls } from "@okline/okline/tls";
 *
 * const tls = new ClientTls({ ca: await Deno.readTextFile("authority.pem") });
 * await using client = await connect({ hostname: "server.test", port: 8000, tls });
 * ```
 */
export class ClientTls implements NetworkLayer {
  readonly #options: TlsClientOptions;
  /** One for each network below, because reading the certificates for each connection would be slow. */
  readonly #networks = new WeakMap<Network, TlsNetwork>();

  /**
   * Checks the options.
   *
   * @param options Default: trust the authorities of the runtime.
   * @throws {TlsError} With the code `certificate`, if a certificate, key, or authority cannot be used.
   */
  constructor(options: TlsClientOptions = {}) {
    new TlsNetwork(systemNetwork, { client: options }); // Fails now rather than when a client connects.
    this.#options = options;
  }

  /** Returns a network that dials over TLS. `connect` calls it. */
  over(network: Network, clock: Clock): Network {
    const known = this.#networks.get(network);
    if (known !== undefined) return known;
    const secured = new TlsNetwork(network, { client: this.#options, clock });
    this.#networks.set(network, secured);
    return secured;
  }
}

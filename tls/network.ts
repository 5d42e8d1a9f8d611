/** TLS over any {@linkcode Network}. @module */
import { isIP } from "node:net";
import { connect, type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import { checkIdentity, readCertificate } from "./certificate.ts";
import type {
  Address,
  BindOptions,
  DialOptions,
  Network,
  Transport,
  TransportListener,
} from "../socket/network.ts";
import { systemClock } from "../socket/tcp.ts";
import { type HandshakeTiming, TlsAcceptor } from "./server_handshake.ts";
import { tlsError } from "./errors.ts";
import { MIN_VERSION, type TlsClientOptions, type TlsOptions, type TlsServerOptions } from "./options.ts";
import { TlsTransport } from "./transport.ts";

const HANDSHAKE_TIMEOUT = 10_000;

/**
 * TLS on top of any other network. Servers and clients make one of their option `tls`; use it directly to build a network
 * of several layers, such as TLS over injected faults.
 *
 * An accepted connection is open, and counted, before its handshake is done. Reads and writes wait for the handshake.
 * A peer that sends plain text receives an error in plain text.
 */
export class TlsNetwork implements Network {
  readonly #inner: Network;
  readonly #client: TlsClientOptions;
  #clientContext: SecureContext | undefined;
  readonly #timing: HandshakeTiming;
  #acceptor: TlsAcceptor | undefined;

  /**
   * Creates a TLS network over another network.
   *
   * @throws {TlsError} With code `certificate`, if a certificate, key, or authority cannot be used.
   */
  constructor(inner: Network, options: TlsOptions) {
    const { server, client = {}, handshakeTimeout = HANDSHAKE_TIMEOUT, clock = systemClock } = options;
    this.#inner = inner;
    this.#client = client;
    if (client.identity !== undefined) checkIdentity(client.identity);
    if (client.ca !== undefined) readCertificate(client.ca);
    this.#timing = { clock, handshakeTimeout };
    if (server !== undefined) this.#acceptor = new TlsAcceptor(server, this.#timing);
  }

  /**
   * Binds an address.
   *
   * @throws {TypeError} If the network has no `server` options.
   */
  listen(options: BindOptions): TransportListener {
    if (this.#acceptor === undefined) throw new TypeError("Cannot listen with TLS: no certificate was given");
    return new TlsListener(this.#inner.listen(options), (inner) => this.#acceptor!.accept(inner));
  }

  /**
   * Opens a connection, and resolves after the TLS handshake.
   *
   * @throws {TlsError} If the handshake fails, in addition to the errors of the underlying network.
   */
  async connect(options: DialOptions): Promise<Transport> {
    const inner = await this.#inner.connect(options);
    const transport = new TlsTransport(inner, { clock: this.#timing.clock, handshakeTimeout: 0 });
    const aborted = () => transport.close();
    options.signal?.addEventListener("abort", aborted, { once: true });
    try {
      options.signal?.throwIfAborted(); // It may have aborted after the underlying connection was opened.
      this.#dial(transport, options.hostname ?? "127.0.0.1");
      await transport.secured;
      return transport;
    } catch (error) {
      transport.close();
      options.signal?.throwIfAborted();
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", aborted);
    }
  }

  /**
   * Replaces all options for future connections. Open connections keep theirs.
   *
   * @throws {TlsError} With code `certificate`, if the options cannot be used. Nothing changes then.
   */
  reload(options: TlsServerOptions): void {
    if (this.#acceptor === undefined) {
      throw new TypeError("Cannot reload a certificate: none was given before");
    }
    this.#acceptor = this.#acceptor.renewed(options);
  }

  #dial(transport: TlsTransport, hostname: string): void {
    const { serverName = hostname, alpn } = this.#client;
    // Shared, because parsing the authorities and the key again takes a third of the cost of dialing.
    this.#clientContext ??= clientContext(this.#client);
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: transport.stream,
      host: serverName,
      allowHalfOpen: true,
      secureContext: this.#clientContext,
      // SNI supports only names. The name in the certificate is checked against `host` in any case.
      ...(isIP(serverName) !== 0 ? {} : { servername: serverName }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    };
    const secured = connect(options);
    const attempt = { speaksTls: false, minVersion: this.#client.minVersion ?? MIN_VERSION };
    secured.on("error", (error) => transport.fail(tlsError(error, attempt)));
    secured.once("secureConnect", () => transport.succeed(secured));
  }
}

class TlsListener implements TransportListener {
  readonly #inner: TransportListener;
  readonly #secure: (inner: Transport) => Transport;

  constructor(inner: TransportListener, secure: (inner: Transport) => Transport) {
    this.#inner = inner;
    this.#secure = secure;
  }

  get address(): Address {
    return this.#inner.address;
  }

  async accept(): Promise<Transport> {
    return this.#secure(await this.#inner.accept());
  }

  close(): void {
    this.#inner.close();
  }
}

function clientContext({ ca, identity, minVersion = MIN_VERSION }: TlsClientOptions): SecureContext {
  return createSecureContext({
    minVersion,
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  });
}

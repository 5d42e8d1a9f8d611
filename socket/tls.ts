/** TLS over any {@linkcode Network}. @module */
import { isIP } from "node:net";
import {
  connect,
  type ConnectionOptions,
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from "node:tls";
import { TlsError } from "./errors.ts";
import { checkIdentity, type Identity, readCertificate } from "./identity.ts";
import type {
  Address,
  BindOptions,
  Clock,
  DialOptions,
  Network,
  Transport,
  TransportListener,
} from "./network.ts";
import { systemClock } from "./system.ts";
import { TlsTransport } from "./tls_transport.ts";

/** The oldest version of TLS that is spoken. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

type SniDone = (error: Error | null, context?: SecureContext) => void;

/** How a server speaks TLS. */
export interface TlsServerOptions {
  /** Who the server is. */
  identity: Identity;
  /**
   * Who it is to clients that ask for one of these names (SNI); `*.example.org` stands for every name with one label more.
   * Default: `identity` for every name.
   */
  hosts?: Readonly<Record<string, Identity>>;
  /** Authorities (PEM) of which a client must show a certificate. Default: clients show none. */
  clientCa?: string;
  /** Protocols offered by ALPN, the best first. A client that offers only others is refused. Default none. */
  alpn?: readonly string[];
  /** Default `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** How a client speaks TLS. */
export interface TlsClientOptions {
  /** Authorities (PEM) trusted to vouch for the server. Default: those that come with the runtime. */
  ca?: string;
  /** The name that the server's certificate must have. Default: the host that is dialled. */
  serverName?: string;
  /** Who the client is, where the server asks. */
  identity?: Identity;
  alpn?: readonly string[];
  /** Default `"TLSv1.2"`. */
  minVersion?: TlsVersion;
}

/** What a {@linkcode TlsNetwork} needs: `server` to listen, `client` to connect with anything but the defaults. */
export interface TlsOptions {
  server?: TlsServerOptions;
  client?: TlsClientOptions;
  /** Longest time in ms for the handshake of an accepted connection; 0 for no bound. Default 10,000. */
  handshakeTimeout?: number;
  clock?: Clock;
}

const HANDSHAKE_TIMEOUT = 10_000;
const MIN_VERSION: TlsVersion = "TLSv1.2";
const HANDSHAKE_RECORD = 0x16;
// node:tls has a timer of its own for the handshake; the one of the clock that is handed in comes first.
const NEVER = 2 ** 31 - 1;
const PLAIN_TEXT = new TextEncoder().encode("error this port speaks TLS, not plain text\n");

/**
 * TLS on top of another network, the real one or any other.
 *
 * An accepted connection stands, and counts, before its handshake is done; what was to be read or written waits for it.
 * A peer that sends plain text is told so in plain text.
 *
 * @example
 * ```ts ignore
 * const tls = new TlsNetwork(systemNetwork, {
 *   server: { identity: { certificate: await Deno.readTextFile("server.pem"), key: await Deno.readTextFile("server.key") } },
 * });
 * const server = listen({ network: tls, port: 8000 });
 * ```
 */
export class TlsNetwork implements Network {
  readonly #inner: Network;
  readonly #client: TlsClientOptions;
  #clientContext: SecureContext | undefined;
  readonly #timing: { readonly clock: Clock; readonly handshakeTimeout: number };
  #server: Server | undefined;

  /** @throws {TlsError} `certificate`, when a certificate, key or authority cannot be used. */
  constructor(inner: Network, options: TlsOptions) {
    const { server, client = {}, handshakeTimeout = HANDSHAKE_TIMEOUT, clock = systemClock } = options;
    this.#inner = inner;
    this.#client = client;
    if (client.identity !== undefined) checkIdentity(client.identity);
    if (client.ca !== undefined) readCertificate(client.ca);
    this.#timing = { clock, handshakeTimeout };
    if (server !== undefined) this.#server = this.#createServer(server);
  }

  /** @throws {TypeError} If the network was made without `server`. */
  listen(options: BindOptions): TransportListener {
    if (this.#server === undefined) throw new TypeError("Cannot listen with TLS: no certificate was given");
    return new TlsListener(this.#inner.listen(options), (inner) => this.#accept(inner));
  }

  /** @throws {TlsError} When the handshake fails, besides the errors of the network below. */
  async connect(options: DialOptions): Promise<Transport> {
    const inner = await this.#inner.connect(options);
    const transport = new TlsTransport(inner, { clock: this.#timing.clock, handshakeTimeout: 0 });
    const aborted = () => transport.close();
    options.signal?.addEventListener("abort", aborted, { once: true });
    try {
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
   * Takes other options, whole and not in part, for the connections to come; those that stand keep theirs.
   *
   * @throws {TlsError} `certificate`, when they cannot be used: everything stays as it was.
   */
  reload(options: TlsServerOptions): void {
    if (this.#server === undefined) throw new TypeError("Cannot reload a certificate: none was given before");
    this.#server = this.#createServer(options);
  }

  #createServer(options: TlsServerOptions): Server {
    const hosts = hostContexts(options);
    return createServer({
      ...secureOptions(options),
      ...(options.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
      ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
      allowHalfOpen: true,
      handshakeTimeout: NEVER,
      // Only where it is needed: with it each connection has two configurations, one of them for as long as it stands.
      ...(hosts.size === 0 ? {} : {
        SNICallback: (name: string, done: SniDone) => done(null, contextFor(name.toLowerCase(), hosts)),
      }),
    });
  }

  #accept(inner: Transport): Transport {
    const first = (bytes: Uint8Array) => {
      if (bytes[0] === HANDSHAKE_RECORD) return true;
      void refusePlainText(inner, transport);
      return false;
    };
    const transport: TlsTransport = new TlsTransport(inner, { ...this.#timing, first });
    // The server reports all its connections by two events on itself. It is made to see a stand-in as itself, one for each
    // connection, because nothing in the events would tell which connection they are about.
    const standIn: Server = Object.create(this.#server!, {
      emit: {
        value: (event: string, about: unknown): boolean => {
          if (event === "secureConnection") {
            const secured = about as TLSSocket;
            secured.on("error", (error) => transport.fail(tlsError(error)));
            transport.succeed(secured);
          } else if (event === "tlsClientError") {
            transport.fail(tlsError(about));
          }
          return true;
        },
      },
    });
    Reflect.apply(this.#server!.emit, standIn, ["connection", transport.stream]);
    return transport;
  }

  #dial(transport: TlsTransport, hostname: string): void {
    const { serverName = hostname, alpn } = this.#client;
    // One for all: to read the authorities and the key anew is a third of what a dial costs.
    this.#clientContext ??= clientContext(this.#client);
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: transport.stream,
      host: serverName,
      allowHalfOpen: true,
      secureContext: this.#clientContext,
      // SNI carries names only; the name of the certificate is checked against `host` all the same.
      ...(isIP(serverName) !== 0 ? {} : { servername: serverName }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    };
    const secured = connect(options);
    secured.on("error", (error) => transport.fail(tlsError(error)));
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

function secureOptions(options: TlsServerOptions): SecureContextOptions {
  const { identity, clientCa, minVersion = MIN_VERSION } = options;
  checkIdentity(identity);
  if (clientCa !== undefined) readCertificate(clientCa);
  return {
    cert: identity.certificate,
    key: identity.key,
    minVersion,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}

function clientContext({ ca, identity, minVersion = MIN_VERSION }: TlsClientOptions): SecureContext {
  return createSecureContext({
    minVersion,
    ...(ca === undefined ? {} : { ca }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  });
}

function hostContexts(options: TlsServerOptions): Map<string, SecureContext> {
  const entries = Object.entries(options.hosts ?? {});
  return new Map(entries.map(([name, identity]) => [
    name.toLowerCase(),
    createSecureContext(secureOptions({ ...options, identity })),
  ]));
}

/** The name itself goes before a wildcard, which stands for one label (RFC 9525, 6.3). */
function contextFor(name: string, hosts: ReadonlyMap<string, SecureContext>): SecureContext | undefined {
  return hosts.get(name) ?? hosts.get(name.replace(/^[^.]+/, "*"));
}

/** Tells a peer that speaks plain text in plain text what it met. */
async function refusePlainText(inner: Transport, transport: TlsTransport): Promise<void> {
  try {
    await inner.write(PLAIN_TEXT);
    await inner.closeWrite();
  } catch {
    // It is gone: nobody is left to be told.
  }
  transport.fail(new TlsError("plain-text", "Peer speaks plain text, not TLS"));
}

// The code of the error names the alert, as it does where this side sends one.
const PEER_REFUSED = "received fatal alert";
const UNTRUSTED = /CERT|SIGNATURE|ALTNAME|ISSUER|SELF_SIGNED|UNKNOWN_CA/;

/** Sorts what the TLS library said. */
function tlsError(cause: unknown): TlsError {
  const code = cause instanceof Error ? String(Reflect.get(cause, "code")) : "";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return new TlsError("plain-text", "Peer speaks plain text, not TLS", { cause });
  }
  if (messageOf(cause).startsWith(PEER_REFUSED)) {
    return new TlsError("handshake", `Peer refused to speak TLS: ${messageOf(cause)}`, { cause });
  }
  if (UNTRUSTED.test(code)) {
    return new TlsError("untrusted", `TLS certificate refused: ${messageOf(cause)}`, { cause });
  }
  return new TlsError("handshake", `Cannot speak TLS with the peer: ${messageOf(cause)}`, { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

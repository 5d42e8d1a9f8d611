/** The server's side of TLS handshakes. @module */
import { createServer, type Server, type TLSSocket } from "node:tls";
import { outdatedVersion, requestedName } from "./client_hello.ts";
import { TlsError } from "../socket/errors.ts";
import { checkIdentity, type Identity, readCertificate } from "./certificate.ts";
import type { Transport } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import { type TlsAttempt, tlsError } from "./errors.ts";
import { MIN_VERSION, type TlsServerOptions, versionsFrom } from "./options.ts";
import { refuseSecured, refuseUnsecured } from "./tls_refusal.ts";
import { TlsTransport } from "./transport.ts";
import type { FirstBytes } from "./node_stream.ts";

const HANDSHAKE_RECORD = 0x16;
// node:tls has a timer of its own for the handshake; the one of the clock that is handed in comes first.
const NEVER = 2 ** 31 - 1;
// A fatal alert `protocol_version` (RFC 8446, 6), in a record that every version reads.
const WRONG_VERSION = Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70);

/** What a {@linkcode TlsAcceptor} needs besides its options. */
export interface HandshakeTiming {
  readonly clock: Clock;
  /** In ms; 0 for no bound. */
  readonly handshakeTimeout: number;
}

/**
 * Shakes hands with clients. Which certificate is for whom is decided here, from what the client says first: the TLS
 * library's own way to choose by name keeps a second configuration with each connection, as long as that stands.
 */
export class TlsAcceptor {
  readonly #timing: HandshakeTiming;
  readonly #notice: (why: string) => Uint8Array;
  readonly #attempt: TlsAttempt;
  readonly #clientCa: string | undefined;
  /** The certificates that were good in a whole handshake, by SHA-256: as many as the authority has issued at most. */
  readonly #vouchedFor = new Set<string>();
  readonly #default: Server;
  readonly #hosts: ReadonlyMap<string, Server>;

  /**
   * @throws {TlsError} `certificate`, when a certificate, key or authority cannot be used.
   * @throws {Deno.errors.NotSupported} With a runtime that is too old.
   */
  constructor(options: TlsServerOptions, timing: HandshakeTiming) {
    this.#timing = timing;
    const { notice = (why) => `error ${why}\n`, minVersion = MIN_VERSION } = options;
    this.#notice = (why) => new TextEncoder().encode(notice(why));
    this.#attempt = { speaksTls: true, minVersion };
    this.#clientCa = options.clientCa;
    this.#default = serverFor(options.identity, options);
    const servers = new Map<Identity, Server>();
    this.#hosts = new Map(
      Object.entries(options.hosts ?? {}).map(([name, identity]) => {
        const server = servers.get(identity) ?? serverFor(identity, options);
        servers.set(identity, server);
        return [name.toLowerCase(), server];
      }),
    );
  }

  /**
   * One with other options for the clients to come. The runtime keeps sessions for the whole process: who was vouched for
   * stays so, where the authority is the same.
   *
   * @throws As the constructor does.
   */
  renewed(options: TlsServerOptions): TlsAcceptor {
    const next = new TlsAcceptor(options, this.#timing);
    if (options.clientCa === this.#clientCa) {
      for (const fingerprint of this.#vouchedFor) next.#vouchedFor.add(fingerprint);
    }
    return next;
  }

  /** Shakes hands, as soon as the client begins to. */
  accept(inner: Transport): TlsTransport {
    const transport: TlsTransport = new TlsTransport(inner, {
      ...this.#timing,
      first: (bytes) => this.#begin(bytes, { transport, inner }),
    });
    transport.stream.read(0); // Nobody else does before TLS is spoken on it.
    return transport;
  }

  #begin(bytes: Uint8Array, client: Client): FirstBytes {
    if (bytes[0] !== HANDSHAKE_RECORD) {
      const error = new TlsError("plain-text", "Peer speaks plain text, not TLS");
      const notice = this.#notice("this port speaks TLS, not plain text");
      void refuseUnsecured({ ...client, ...this.#timing, error, notice });
      return "refuse";
    }
    const outdated = outdatedVersion(bytes);
    if (outdated !== undefined) {
      // The TLS library would say that it misses something of a later version, to this side and to the client.
      const why = `Peer does not speak ${versionsFrom(this.#attempt.minVersion)}: its newest is ${outdated}`;
      const error = new TlsError("handshake", why);
      void refuseUnsecured({ ...client, ...this.#timing, error, notice: WRONG_VERSION });
      return "refuse";
    }
    const name = this.#hosts.size === 0 ? "" : requestedName(bytes);
    if (name === undefined) return "wait";
    this.#shakeHands(serverByName(name, this.#hosts) ?? this.#default, client);
    return "take";
  }

  #shakeHands(server: Server, client: Client): void {
    const { transport } = client;
    // The server reports all its connections by two events on itself. It is made to see a stand-in as itself, one for each
    // connection, because nothing in the events would tell which connection they are about.
    const standIn: Server = Object.create(server, {
      emit: {
        value: (event: string, about: unknown): boolean => {
          if (event === "secureConnection") this.#secured(about as TLSSocket, client);
          else if (event === "tlsClientError") transport.fail(tlsError(about, this.#attempt));
          return true;
        },
      },
    });
    Reflect.apply(server.emit, standIn, ["connection", transport.stream]);
  }

  #secured(socket: TLSSocket, client: Client): void {
    socket.on("error", (error) => client.transport.fail(tlsError(error, this.#attempt)));
    const why = this.#clientCa === undefined ? undefined : this.#whyUnauthorized(socket);
    if (why === undefined) {
      client.transport.succeed(socket);
      return;
    }
    const message = `TLS certificate refused: ${why}`;
    const notice = this.#notice(message);
    void refuseSecured(socket, {
      ...client,
      ...this.#timing,
      error: new TlsError("untrusted", message),
      notice,
    });
  }

  /**
   * Why a client that has shaken hands is not one of those that the authority vouches for; `undefined` for one of them.
   *
   * The TLS library's word counts for a whole handshake alone. Where a session is resumed it looks at no certificate, and
   * calls the client authorized even if it was refused in the handshake that the session is from.
   */
  #whyUnauthorized(socket: TLSSocket): string | undefined {
    const { fingerprint256 } = socket.getPeerCertificate() ?? {};
    if (fingerprint256 === undefined) return "the client showed none";
    if (socket.isSessionReused()) {
      return this.#vouchedFor.has(fingerprint256) ? undefined : "the session began without a good one";
    }
    // A code, as in `CERT_HAS_EXPIRED`.
    if (!socket.authorized) return String(socket.authorizationError).toLowerCase().replaceAll("_", " ");
    this.#vouchedFor.add(fingerprint256);
    return undefined;
  }
}

/** A connection in the middle of its handshake. */
interface Client {
  readonly transport: TlsTransport;
  /** What is below it. */
  readonly inner: Transport;
}

function serverFor(identity: Identity, options: TlsServerOptions): Server {
  const { clientCa, alpn, minVersion = MIN_VERSION } = options;
  checkIdentity(identity);
  if (clientCa !== undefined) readCertificate(clientCa);
  const server = createServer({
    cert: identity.certificate,
    key: identity.key,
    minVersion,
    // Who may stay is decided in `#secured`: the TLS library would close a connection without a word to the client.
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    allowHalfOpen: true,
    handshakeTimeout: NEVER,
  });
  assertTakesStreams(server);
  return server;
}

/**
 * Deno's before 2.8 bind sockets of their own and know no others: every handshake would end by its timeout.
 *
 * @throws {Deno.errors.NotSupported} If it is one of these.
 */
export function assertTakesStreams(server: Pick<Server, "listenerCount">): void {
  if (server.listenerCount("connection") > 0) return;
  throw new Deno.errors.NotSupported("Cannot serve TLS with this runtime: Deno 2.8 or a later one is needed");
}

/** The name itself goes before a wildcard, which stands for one label (RFC 9525, 6.3). */
function serverByName(name: string, hosts: ReadonlyMap<string, Server>): Server | undefined {
  return hosts.get(name) ?? hosts.get(name.replace(/^[^.]+/, "*"));
}

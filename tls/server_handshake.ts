/** The server side of TLS handshakes. @module */
import { createServer, type Server, type TLSSocket } from "node:tls";
import { ClientHello } from "./client_hello.ts";
import { TlsError } from "../socket/errors.ts";
import { checkIdentity, type Identity, readCertificate } from "./certificate.ts";
import type { Transport } from "../socket/network.ts";
import type { Clock } from "../internal/clock.ts";
import { type TlsAttempt, tlsError } from "./errors.ts";
import { MIN_VERSION, type TlsServerOptions, versionsFrom } from "./options.ts";
import { TlsTransport } from "./transport.ts";
import type { FirstBytes } from "./node_stream.ts";

const HANDSHAKE_RECORD = 0x16;
// Turns off the handshake timer of node:tls, because the given clock limits handshakes. 0 would mean two minutes. Deno does
// not cancel that timer when a handshake fails, so it would keep the connection in memory.
const NO_TIMER = -1;
// A fatal alert `protocol_version` (RFC 8446, 6), in a record that every version reads.
const WRONG_VERSION = Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70);

// Longest time in ms that a refused peer may take to leave. Closing immediately, with unread bytes, would reset the
// connection, and the reset would discard the reason.
const LEAVE_TIMEOUT = 1000;

/** Handshake timeout of a {@linkcode TlsAcceptor}. */
export interface HandshakeTiming {
  readonly clock: Clock;
  /** In ms; 0 disables the limit. */
  readonly handshakeTimeout: number;
}

/**
 * Performs handshakes with clients. The certificate is chosen here, from the client's first message, because the TLS
 * library's own choice by name keeps a second configuration for as long as the connection is open.
 */
export class TlsAcceptor {
  readonly #timing: HandshakeTiming;
  readonly #notice: (why: string) => Uint8Array;
  readonly #attempt: TlsAttempt;
  readonly #clientCa: string | undefined;
  /** Certificates that were valid in a full handshake, by SHA-256: at most as many as the authority has issued. */
  readonly #vouchedFor = new Set<string>();
  readonly #default: Server;
  readonly #hosts: ReadonlyMap<string, Server>;

  /**
   * @throws {TlsError} With code `certificate`, if a certificate, key, or authority cannot be used.
   * @throws {Deno.errors.NotSupported} If the runtime is too old.
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
   * Returns an acceptor with other options for future clients. The runtime keeps sessions for the whole process, so
   * clients that were valid stay valid if the authority is the same.
   *
   * @throws The errors of the constructor.
   */
  renewed(options: TlsServerOptions): TlsAcceptor {
    const next = new TlsAcceptor(options, this.#timing);
    if (options.clientCa === this.#clientCa) {
      for (const fingerprint of this.#vouchedFor) next.#vouchedFor.add(fingerprint);
    }
    return next;
  }

  /** Performs the handshake as soon as the client begins it. */
  accept(inner: Transport): TlsTransport {
    const hello = new ClientHello();
    const transport: TlsTransport = new TlsTransport(inner, {
      ...this.#timing,
      first: (bytes) => guard(transport, () => this.#begin(bytes, hello, { transport, inner })) ?? "refuse",
    });
    transport.stream.read(0); // Starts reading, which nothing else does before the handshake.
    return transport;
  }

  #begin(bytes: Uint8Array, hello: ClientHello, client: Client): FirstBytes {
    if (bytes[0] !== HANDSHAKE_RECORD) {
      const error = new TlsError("plain-text", "Peer speaks plain text, not TLS");
      const notice = this.#notice("this port speaks TLS, not plain text");
      void refuseUnsecured({ ...client, ...this.#timing, error, notice });
      return "refuse";
    }
    hello.read(bytes);
    const outdated = hello.outdatedVersion();
    if (outdated !== undefined) {
      // The TLS library would blame a missing feature of a later version, here and to the client.
      const why = `Peer does not speak ${versionsFrom(this.#attempt.minVersion)}: its newest is ${outdated}`;
      const error = new TlsError("handshake", why);
      void refuseUnsecured({ ...client, ...this.#timing, error, notice: WRONG_VERSION });
      return "refuse";
    }
    const name = this.#hosts.size === 0 ? "" : hello.requestedName();
    if (name === undefined) return "wait";
    this.#shakeHands(serverByName(name, this.#hosts) ?? this.#default, client);
    return "take";
  }

  #shakeHands(server: Server, client: Client): void {
    const { transport } = client;
    // The server reports all its connections through two events on itself. Each connection gets a proxy for the
    // server, because the events do not identify the connection.
    const proxy: Server = Object.create(server, {
      emit: {
        value: (event: string, about: unknown): boolean => {
          if (event === "secureConnection") {
            guard(transport, () => this.#secured(about as TLSSocket, client));
          } else if (event === "tlsClientError") transport.fail(tlsError(about, this.#attempt));
          return true;
        },
      },
    });
    Reflect.apply(server.emit, proxy, ["connection", transport.stream]);
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
   * Returns the reason why a client's certificate is not valid, or `undefined` if it is.
   *
   * The result of the TLS library is right only after a full handshake. For a resumed session, it does not check the
   * certificate, and calls the client authorized even if the original handshake was refused.
   */
  #whyUnauthorized(socket: TLSSocket): string | undefined {
    const { fingerprint256 } = socket.getPeerCertificate() ?? {};
    if (fingerprint256 === undefined) return "the client sent none";
    if (socket.isSessionReused()) {
      return this.#vouchedFor.has(fingerprint256) ? undefined : "the session began without a valid one";
    }
    // A code such as `CERT_HAS_EXPIRED`.
    if (!socket.authorized) return String(socket.authorizationError).toLowerCase().replaceAll("_", " ");
    this.#vouchedFor.add(fingerprint256);
    return undefined;
  }
}

/** A connection during its handshake. */
interface Client {
  readonly transport: TlsTransport;
  /** The underlying transport. */
  readonly inner: Transport;
}

/**
 * Performs a step of a handshake. If it throws, as the option `notice` can, the connection fails, and others are
 * unaffected.
 */
function guard<Result>(transport: TlsTransport, step: () => Result): Result | undefined {
  try {
    return step();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    transport.fail(new TlsError("handshake", `Cannot shake hands with the peer: ${why}`, { cause }));
    return undefined;
  }
}

function serverFor(identity: Identity, options: TlsServerOptions): Server {
  const { clientCa, alpn, minVersion = MIN_VERSION } = options;
  checkIdentity(identity);
  if (clientCa !== undefined) readCertificate(clientCa);
  const server = createServer({
    cert: identity.certificate,
    key: identity.key,
    minVersion,
    // `#secured` decides about the certificate: the TLS library would close the connection without sending a reason.
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    allowHalfOpen: true,
    handshakeTimeout: NO_TIMER,
  });
  assertTakesStreams(server);
  return server;
}

/**
 * Throws for Deno before 2.8, whose TLS servers accept only their own sockets: every handshake would time out.
 *
 * @throws {Deno.errors.NotSupported} If the runtime is too old.
 */
export function assertTakesStreams(server: Pick<Server, "listenerCount">): void {
  if (server.listenerCount("connection") > 0) return;
  throw new Deno.errors.NotSupported("Cannot serve TLS with this runtime: expected Deno 2.8 or later");
}

/** Prefers an exact name to a wildcard, which matches one label (RFC 9525, 6.3). */
function serverByName(name: string, hosts: ReadonlyMap<string, Server>): Server | undefined {
  return hosts.get(name) ?? hosts.get(name.replace(/^[^.]+/, "*"));
}

/** A peer to refuse. */
interface RefusedPeer {
  readonly transport: TlsTransport;
  /** The underlying transport. */
  readonly inner: Transport;
  readonly clock: Clock;
  readonly error: TlsError;
  /** The message that the peer receives. */
  readonly notice: Uint8Array;
}

/** Refuses a peer before the handshake, and sends the message in plain text. */
function refuseUnsecured(peer: RefusedPeer): Promise<void> {
  const { inner, notice } = peer;
  return leave(peer, async () => {
    for (let rest = notice; rest.length > 0;) {
      rest = rest.subarray(await inner.write(rest));
    }
    await inner.closeWrite();
    const dropped = new Uint8Array(4096);
    while (await inner.read(dropped) !== null);
  });
}

/** Refuses a peer after the handshake. */
function refuseSecured(socket: TLSSocket, peer: RefusedPeer): Promise<void> {
  const { transport, inner, notice } = peer;
  return leave(peer, async () => {
    const gone = new Promise<void>((resolve) => socket.once("end", resolve));
    socket.resume();
    await new Promise<void>((resolve) => socket.end(notice, resolve));
    await null; // The close_notify is passed to the stream at the end of this turn.
    await transport.stream.written();
    await inner.closeWrite();
    await gone;
  }).finally(() => socket.destroy());
}

async function leave({ transport, clock, error }: RefusedPeer, say: () => Promise<void>): Promise<void> {
  transport.refuse(error);
  const timer = clock.after(LEAVE_TIMEOUT, () => transport.fail(error));
  try {
    // The handshake will not complete: it rejects when the transport is closed.
    await Promise.race([say(), transport.secured]);
  } catch {
    // The peer has gone, or took too long: it cannot receive the reason anymore.
  } finally {
    timer.cancel();
    transport.fail(error);
  }
}

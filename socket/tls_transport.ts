/** One socket of TLS on top of another transport. @module */
import type { TLSSocket } from "node:tls";
import { TlsError } from "./errors.ts";
import type { Address, Clock, Timer, Transport } from "./network.ts";
import { type FirstBytes, TransportStream } from "./transport_stream.ts";

// Four records of TLS: the rest of a long write waits where `queuedBytes` still counts it.
const WRITE_CHUNK = 64 * 1024;
// Decrypted bytes that may wait for their reader before the peer feels it.
const READ_AHEAD = 64 * 1024;

/** What is known of the peer once the handshake is done. */
export interface TlsSession {
  /** As `"TLSv1.3"`. */
  readonly protocol: string;
  /** The protocol agreed on by ALPN, where there was one. */
  readonly alpn: string | undefined;
  /** The subject's common name in the peer's certificate, where it gave one that was verified. */
  readonly peerName: string | undefined;
}

/**
 * Encrypts what passes through. Reading and writing wait for the handshake; where that fails they reject with a
 * {@linkcode TlsError}.
 *
 * The peer's end is its close_notify, or its FIN: the two are not told apart, so a protocol on top must know by itself
 * what is complete, as lines do.
 */
export class TlsTransport implements Transport {
  /** The handshake: settles when it is done. */
  readonly secured: Promise<TlsSession>;
  /** The encrypted side, for who shakes hands. */
  readonly stream: TransportStream;
  readonly #inner: Transport;
  readonly #secured = Promise.withResolvers<TlsSession>();
  readonly #timer: Timer | undefined;
  #socket: TLSSocket | undefined;
  #error: Error | undefined;
  #ended = false;
  #closed = false;
  #wake: (() => void) | undefined;
  #pending: ((error: Error) => void) | undefined;

  /** @param options.handshakeTimeout In ms; 0 for no bound. */
  constructor(inner: Transport, options: { clock: Clock; handshakeTimeout: number; first?: FirstBytes }) {
    this.#inner = inner;
    this.stream = new TransportStream(inner, options.first);
    this.secured = this.#secured.promise;
    this.secured.catch(() => {}); // Reading and writing tell, whoever needs to know.
    const { clock, handshakeTimeout: ms } = options;
    if (ms > 0) {
      this.#timer = clock.after(
        ms,
        () => this.fail(new TlsError("timeout", `TLS handshake not done within ${ms} ms`)),
      );
    }
  }

  get local(): Address {
    return this.#inner.local;
  }

  get remote(): Address {
    return this.#inner.remote;
  }

  /** Whether the handshake has failed, or the socket is closed. */
  get failed(): boolean {
    return this.#closed || this.#error !== undefined;
  }

  /** For who shakes hands: it is done. */
  succeed(socket: TLSSocket): void {
    if (this.failed) {
      socket.destroy();
      return;
    }
    this.#timer?.cancel();
    this.#socket = socket;
    this.stream.readWhileNot(() => socket.readableLength >= READ_AHEAD);
    const wake = () => this.#wake?.();
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#ended = true;
      wake();
    });
    socket.on("error", (error: Error) => this.#break(error));
    socket.on("close", () => this.#break(new Deno.errors.ConnectionReset("TLS connection closed")));
    const subject = socket.getPeerCertificate()?.subject;
    this.#secured.resolve({
      protocol: socket.getProtocol() ?? "unknown",
      alpn: socket.alpnProtocol || undefined,
      peerName: subject === undefined || !socket.authorized ? undefined : String(subject.CN),
    });
  }

  /** For who shakes hands: it failed. Later calls change nothing. */
  fail(error: TlsError): void {
    if (this.failed) return;
    this.#timer?.cancel();
    this.#error = error;
    this.#inner.close();
    this.#secured.reject(error);
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.secured;
    const socket = this.#socket!;
    while (true) {
      if (this.#closed) throw this.#error;
      if (socket.readableLength === 0) socket.read(0); // Asks for more, or for the news of the end.
      if (socket.readableLength > 0) {
        const bytes: Uint8Array = socket.read(Math.min(into.length, socket.readableLength));
        into.set(bytes);
        this.stream.resumeReading();
        return bytes.length;
      }
      if (this.#ended) return null;
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.secured;
    if (this.#error !== undefined) throw this.#error;
    const chunk = bytes.subarray(0, WRITE_CHUNK);
    await this.#done((done) => this.#socket!.write(chunk, done));
    return chunk.length;
  }

  async closeWrite(): Promise<void> {
    await this.secured;
    if (this.#socket!.writableEnded) return;
    await this.#done((done) => this.#socket!.end(done));
  }

  close(): void {
    if (this.#closed) return;
    this.fail(new TlsError("closed", "TLS connection closed before its handshake was done"));
    this.#closed = true;
    this.#break(new Deno.errors.Interrupted("TLS connection closed"));
    this.#socket?.destroy();
    this.#inner.close();
  }

  /** Runs something of the socket that calls back, or never does when the socket breaks. */
  #done(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending = reject;
    start((error) => error ? reject(error) : resolve());
    return promise.finally(() => this.#pending = undefined);
  }
  #break(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
    this.#pending?.(this.#error);
  }
}

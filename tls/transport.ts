/** A TLS connection on top of another transport. @module */
import type { TLSSocket } from "node:tls";
import { TlsError } from "../socket/errors.ts";
import type { Address, Transport } from "../socket/network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { badResource, brokenPipe, interrupted, twice } from "../internal/os_errors.ts";
import { sessionOf, type TlsSession } from "./session.ts";
import { type FirstBytes, TransportStream, type TransportStreamOwner } from "./node_stream.ts";

// Four TLS records. The rest of a long write stays in `queuedBytes`.
const WRITE_CHUNK = 64 * 1024;
// Decrypted bytes to buffer before backpressure reaches the peer.
const READ_AHEAD = 64 * 1024;

/** Options of a {@linkcode TlsTransport}. */
export interface TlsTransportOptions {
  readonly clock: Clock;
  /** In ms; 0 disables the limit. */
  readonly handshakeTimeout: number;
  /** Decides about the first bytes of the peer. TLS starts only if they are taken. */
  readonly first?: (bytes: Uint8Array) => FirstBytes;
}

/** A pending operation. */
interface Pending<Result> {
  readonly bytes: Uint8Array;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * Encrypts and decrypts a connection. Reads and writes wait for the handshake. If it fails, or TLS fails later, they
 * reject with a {@linkcode TlsError}. Everything else behaves as in the underlying transport, including errors and their
 * order, which the contract test checks.
 *
 * The peer's end is its close_notify or its FIN. These are not distinguished, so the protocol on top must know what is
 * complete, as lines do. {@linkcode TlsTransport.closeWrite} sends both. `close` sends only what the underlying transport
 * sends.
 */
export class TlsTransport implements Transport, TransportStreamOwner {
  /** The handshake; settles when it is done. */
  readonly secured: Promise<TlsSession>;
  /** The encrypted side, for the code that performs the handshake. */
  readonly stream: TransportStream;
  readonly #inner: Transport;
  #first: TlsTransportOptions["first"];
  readonly #secured = Promise.withResolvers<TlsSession>();
  #timer: Timer | undefined;
  #socket: TLSSocket | undefined;
  #reading: Pending<number | null> | undefined;
  #writing: Pending<number> | undefined;
  #finishing: PromiseWithResolvers<void> | undefined;
  #finSent = false;
  /** Whether the peer has ended its side, and everything before that was read. */
  #ended = false;
  /** Whether the underlying transport has ended without a clean end of TLS. */
  #silent = false;
  /** Whether writes no longer reach the peer. */
  #broken = false;
  /** An error of the underlying transport that was not reported yet. */
  #lost: Error | undefined;
  /** The reason why the peer is refused, while it is sent. */
  #refusal: TlsError | undefined;
  #failure: TlsError | undefined;
  #closed = false;

  constructor(inner: Transport, options: TlsTransportOptions) {
    this.#inner = inner;
    this.#first = options.first;
    this.stream = new TransportStream(inner, this);
    this.secured = this.#secured.promise;
    this.secured.catch(() => {}); // Reads and writes report the failure.
    const { clock, handshakeTimeout: ms } = options;
    if (ms > 0) {
      this.#timer = clock.after(
        ms,
        () => this.fail(new TlsError("timeout", `TLS handshake not done within ${ms} ms`)),
      );
    }
  }

  get ready(): Promise<TlsSession> {
    return this.secured;
  }

  get local(): Address {
    return this.#inner.local;
  }

  get remote(): Address {
    return this.#inner.remote;
  }

  /** Completes the handshake. Called by the code that performs it. */
  succeed(socket: TLSSocket): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#timer?.cancel();
    this.#timer = undefined; // Otherwise it would stay in memory as long as the connection.
    this.#socket = socket;
    this.stream.readWhileNot(() => socket.readableLength >= READ_AHEAD);
    socket.on("readable", () => this.#serveReader());
    socket.on("end", () => {
      this.#ended = true;
      this.#serveReader();
    });
    this.#secured.resolve(sessionOf(socket));
    this.#serveReader();
    this.#serveWriter();
  }

  /** Fails the handshake or the connection. Called by the code that performs TLS. Later calls have no effect. */
  fail(error: TlsError): void {
    if (this.#over) return;
    this.#timer?.cancel();
    this.#failure = this.#refusal ?? error;
    void this.#giveUp(this.#failure);
  }

  /** Sets the error of a peer that is refused, whatever happens while it receives the reason. {@linkcode fail} follows. */
  refuse(error: TlsError): void {
    this.#timer?.cancel();
    this.#refusal = error;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#over) return Promise.reject(this.#end());
    if (this.#reading !== undefined) return Promise.reject(twice("read"));
    if (into.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#reading = { bytes: into, resolve, reject };
      this.#serveReader();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#over) return Promise.reject(this.#end());
    if (this.#writing !== undefined) return Promise.reject(twice("write"));
    if (this.#lost !== undefined) return Promise.reject(this.#takeLost());
    if (this.#finSent || this.#broken) return Promise.reject(brokenPipe());
    if (bytes.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#writing = { bytes, resolve, reject };
      this.#serveWriter();
    });
  }

  async closeWrite(): Promise<void> {
    if (this.#socket === undefined && !this.#over) await this.secured;
    if (this.#over) throw this.#end();
    if (this.#finSent || this.#broken) return;
    this.#finSent = true;
    const finishing = this.#finishing = Promise.withResolvers<void>();
    this.#socket!.end(() => void this.#sendFin().then(finishing.resolve, finishing.reject));
    await finishing.promise;
  }

  close(): void {
    this.#close(() => this.#inner.close());
  }

  /** Closes with a reset if the underlying transport can, and otherwise like {@linkcode TlsTransport.close}. */
  reset(): void {
    this.#close(() => this.#inner.reset === undefined ? this.#inner.close() : this.#inner.reset());
  }

  /** Called by the stream. */
  first(bytes: Uint8Array): FirstBytes {
    const verdict = this.#first?.(bytes) ?? "take";
    // What it has collected would stay for as long as the connection.
    if (verdict !== "wait") this.#first = undefined;
    return verdict;
  }

  /** Called by the stream when the underlying transport has ended. */
  ended(error?: Error): void {
    if (this.#over || this.#refusal !== undefined) return;
    if (this.#socket === undefined) {
      const what = error === undefined ? "Peer closed the connection" : "Connection was lost";
      this.fail(
        new TlsError("closed", `${what} before the TLS handshake was done`, { cause: error ?? this.#lost }),
      );
    } else if (error !== undefined) {
      this.#silent = true;
      this.#lose(error);
    }
  }

  /** Called by the stream when a write to the underlying transport has failed. */
  writeFailed(error: Error): void {
    // A reset is reported once: to a write, if no read has reported it.
    if (error instanceof Deno.errors.ConnectionReset) this.#lose(error);
    this.#broken = true;
    this.#failWrite(error);
  }

  /** Whether the connection has failed or is closed. */
  get #over(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** Returns the error for operations after the end. */
  #end(): Error {
    return this.#closed ? badResource() : this.#failure!;
  }

  /** Passes the next result to the reader: bytes, then an unreported error, then the end. */
  #serveReader(): void {
    const socket = this.#socket;
    const reading = this.#reading;
    if (socket === undefined || reading === undefined) return;
    if (socket.readableLength === 0) socket.read(0); // Requests more bytes, or the end.
    if (socket.readableLength > 0) {
      this.#reading = undefined;
      const bytes: Uint8Array = socket.read(Math.min(reading.bytes.length, socket.readableLength));
      reading.bytes.set(bytes);
      this.stream.resumeReading();
      reading.resolve(bytes.length);
    } else if (this.#lost !== undefined) {
      this.#reading = undefined;
      reading.reject(this.#takeLost());
    } else if (this.#ended || this.#silent) {
      this.#reading = undefined;
      reading.resolve(null);
    }
  }

  #serveWriter(): void {
    const socket = this.#socket;
    const writing = this.#writing;
    if (socket === undefined || writing === undefined) return;
    const chunk = writing.bytes.subarray(0, WRITE_CHUNK);
    socket.write(chunk, (error) => {
      if (this.#writing !== writing) return; // It has already failed.
      if (error) return this.#failWrite(this.#failure ?? brokenPipe());
      this.#writing = undefined;
      writing.resolve(chunk.length);
    });
  }

  /** Reports that the peer has reset the connection: to a pending read, else to a pending write, else to the next call. */
  #lose(error: Error): void {
    this.#broken = true;
    this.#lost = error;
    this.#serveReader();
    if (this.#writing !== undefined) {
      this.#failWrite(this.#lost === undefined ? brokenPipe() : this.#takeLost());
    }
  }

  #failWrite(error: Error): void {
    this.#writing?.reject(error);
    this.#writing = undefined;
  }

  #takeLost(): Error {
    const error = this.#lost!;
    this.#lost = undefined;
    return error;
  }

  async #sendFin(): Promise<void> {
    await null; // The close_notify is passed to the stream at the end of this turn.
    await this.stream.written();
    if (!this.#broken) await this.#inner.closeWrite();
  }

  /** Closes after a TLS failure, when the alert for the peer has been sent. */
  async #giveUp(error: TlsError): Promise<void> {
    // The alert is passed to the stream in the turn after the failure is reported.
    await null;
    await null;
    if (this.#closed) return;
    this.stream.dispose();
    this.#inner.close();
    this.#rejectAll(error);
    this.#secured.reject(error);
  }

  #close(closeInner: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#rejectAll(interrupted());
    this.#secured.reject(new TlsError("closed", "TLS connection closed before its handshake was done"));
    this.#socket?.destroy();
    this.stream.dispose();
    closeInner();
  }

  #rejectAll(error: Error): void {
    this.#reading?.reject(error);
    this.#reading = undefined;
    this.#failWrite(error);
    this.#finishing?.reject(error);
  }
}

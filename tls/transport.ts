/** One socket of TLS on top of another transport. @module */
import type { TLSSocket } from "node:tls";
import { TlsError } from "../socket/errors.ts";
import type { Address, Transport } from "../socket/network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { badResource, brokenPipe, interrupted, twice } from "../internal/os_errors.ts";
import { sessionOf, type TlsSession } from "./tls_session.ts";
import { type FirstBytes, TransportStream, type TransportStreamOwner } from "./node_stream.ts";

// Four records of TLS: the rest of a long write waits where `queuedBytes` still counts it.
const WRITE_CHUNK = 64 * 1024;
// Decrypted bytes that may wait for their reader before the peer feels it.
const READ_AHEAD = 64 * 1024;

/** What a {@linkcode TlsTransport} needs. */
export interface TlsTransportOptions {
  readonly clock: Clock;
  /** In ms; 0 for no bound. */
  readonly handshakeTimeout: number;
  /** Judges the first bytes of the peer; TLS is spoken with one whose bytes are taken. */
  readonly first?: (bytes: Uint8Array) => FirstBytes;
}

/** An operation that waits. */
interface Pending<Result> {
  readonly bytes: Uint8Array;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * Encrypts what passes through. Reading and writing wait for the handshake; where that fails, or TLS fails later, they
 * reject with a {@linkcode TlsError}. Everything else is as with the transport below, errors and their order included;
 * the contract test holds both to it.
 *
 * The peer's end is its close_notify, or its FIN: the two are not told apart, so a protocol on top must know by itself
 * what is complete, as lines do. The own end is both; `close` alone sends only what the transport below does.
 */
export class TlsTransport implements Transport, TransportStreamOwner {
  /** The handshake: settles when it is done. */
  readonly secured: Promise<TlsSession>;
  /** The encrypted side, for who shakes hands. */
  readonly stream: TransportStream;
  readonly #inner: Transport;
  readonly #first: TlsTransportOptions["first"];
  readonly #secured = Promise.withResolvers<TlsSession>();
  #timer: Timer | undefined;
  #socket: TLSSocket | undefined;
  #reading: Pending<number | null> | undefined;
  #writing: Pending<number> | undefined;
  #finishing: PromiseWithResolvers<void> | undefined;
  #finSent = false;
  /** The peer's end has come, and all before it was read. */
  #ended = false;
  /** Nothing more comes from the transport below, which did not end as it should. */
  #silent = false;
  /** Nothing that is written reaches the peer any more. */
  #broken = false;
  /** What the transport below met, until somebody is told. */
  #lost: Error | undefined;
  /** Why the peer may not stay: it is being told. */
  #refusal: TlsError | undefined;
  #failure: TlsError | undefined;
  #closed = false;

  constructor(inner: Transport, options: TlsTransportOptions) {
    this.#inner = inner;
    this.#first = options.first;
    this.stream = new TransportStream(inner, this);
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

  get ready(): Promise<TlsSession> {
    return this.secured;
  }

  get local(): Address {
    return this.#inner.local;
  }

  get remote(): Address {
    return this.#inner.remote;
  }

  /** For who shakes hands: it is done. */
  succeed(socket: TLSSocket): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#timer?.cancel();
    this.#timer = undefined; // It would be kept as long as the connection.
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

  /** For who shakes hands, or speaks TLS after that: it failed. Later calls change nothing. */
  fail(error: TlsError): void {
    if (this.#over) return;
    this.#timer?.cancel();
    this.#failure = this.#refusal ?? error;
    void this.#giveUp(this.#failure);
  }

  /** For who shakes hands: the peer may not stay, whatever happens while it is told so; {@linkcode fail} follows. */
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

  /** Closes with a reset where the transport below can, and as {@linkcode TlsTransport.close} does where it cannot. */
  reset(): void {
    this.#close(() => this.#inner.reset === undefined ? this.#inner.close() : this.#inner.reset());
  }

  /** For the stream. */
  first(bytes: Uint8Array): FirstBytes {
    return this.#first?.(bytes) ?? "take";
  }

  /** For the stream: the transport below has ended. */
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

  /** For the stream: a write to the transport below has failed. */
  writeFailed(error: Error): void {
    // A reset is told once: to the write, though it is the reader's first.
    if (error instanceof Deno.errors.ConnectionReset) this.#lose(error);
    this.#broken = true;
    this.#failWrite(error);
  }

  /** Whether it has failed, or is closed. */
  get #over(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** Why nothing works any more. */
  #end(): Error {
    return this.#closed ? badResource() : this.#failure!;
  }

  /** Gives the reader what there is: bytes, then an error that nobody was told of, then the end. */
  #serveReader(): void {
    const socket = this.#socket;
    const reading = this.#reading;
    if (socket === undefined || reading === undefined) return;
    if (socket.readableLength === 0) socket.read(0); // Asks for more, or for the news of the end.
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
      if (this.#writing !== writing) return; // It has failed before.
      if (error) return this.#failWrite(this.#failure ?? brokenPipe());
      this.#writing = undefined;
      writing.resolve(chunk.length);
    });
  }

  /** The peer has reset the connection: a reader that waits is told, or else a writer, or else who comes next. */
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
    await null; // The close_notify is handed to the stream at the end of this turn.
    await this.stream.written();
    if (!this.#broken) await this.#inner.closeWrite();
  }

  /** Closes because TLS has failed, once the alert is out that tells the peer why. */
  async #giveUp(error: TlsError): Promise<void> {
    // It is handed to the stream in the turn after the one in which the failure is told.
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

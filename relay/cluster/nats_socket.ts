/** The socket of the NATS client, on a {@linkcode Network}. @module */
import {
  checkOptions,
  type ConnectionOptions,
  DataBuffer,
  type NatsConnection,
  NatsConnectionImpl,
  type Server,
  type ServerInfo,
  setTransportFactory,
  type Transport as NatsTransport,
} from "@nats-io/nats-core/internal";
import type { Clock } from "../../internal/clock.ts";
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import { sortConnectError } from "../../socket/connect.ts";
import { Connection } from "../../socket/connection.ts";
import { ConnectionSettings } from "../../socket/connection/settings.ts";
import { type CloseReason, describeCloseReason } from "../../socket/errors.ts";
import type { Network, NetworkLayer, Transport } from "../../socket/network.ts";
import { UNANSWERED } from "./nats_bus.ts";

/** The sockets of a NATS client. */
export interface NatsSockets {
  readonly network: Network;
  readonly clock: Clock;
  /** TLS for servers that offer or require it. Without it, a server that requires TLS is refused. */
  readonly tls: NetworkLayer | undefined;
  /** Called when a connection cannot be opened, or ends before the server has answered. */
  readonly onFailed: (error: Error) => void;
}

/** Connects to NATS over the sockets of a {@linkcode Network}. Throws what the NATS client throws. */
export function connectNats(options: ConnectionOptions, sockets: NatsSockets): Promise<NatsConnection> {
  // The factory is one for the process, and gets no options. Each socket gets those of its client when it connects.
  setTransportFactory({ factory: () => new NatsSocket() });
  return NatsConnectionImpl.connect({ ...options, sockets } as ConnectionOptions);
}

// A server that hangs is noticed by its missing answers after six seconds. Until then, what it does not take is queued.
const WRITE_BUFFER = 64 * 1024 * 1024;
const CLOSE_TIMEOUT = 1000;
const LONGEST_GREETING = 256 * 1024;
const INFO = /^INFO (\{.*\}) *\r\n/;

class NatsSocket implements NatsTransport {
  // What the server shows of its clients.
  readonly lang = "nats.js";
  readonly version = "3.4.0";
  closeError?: Error;
  readonly #closed = Promise.withResolvers<void | Error>();
  readonly #gaveUp = new AbortController();
  #greeting: Uint8Array = new Uint8Array(0);
  #connection: Connection<Uint8Array> | undefined;
  #onFailed: (error: Error) => void = () => {};
  #encrypted = false;
  /** Whether this side ended it. */
  #ended = false;
  #discarded = false;

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const { sockets } = options as ConnectionOptions & { readonly sockets: NatsSockets };
    this.#onFailed = sockets.onFailed;
    try {
      const transport = await this.#dial(server, options, sockets);
      if (this.#gaveUp.signal.aborted) transport.close();
      this.#gaveUp.signal.throwIfAborted();
      this.#connection = new Connection(
        transport,
        new ConnectionSettings({
          codec: bytesCodec,
          clock: sockets.clock,
          limits: { writeBuffer: WRITE_BUFFER },
          timeouts: { drain: CLOSE_TIMEOUT },
        }),
      );
    } catch (cause) {
      throw this.#failed(dialError(cause));
    }
  }

  /** Connects, reads the greeting of the server, and goes on over TLS if the server speaks it. */
  async #dial(
    { hostname, port, tlsName }: Server,
    options: ConnectionOptions,
    { network, clock, tls }: NatsSockets,
  ): Promise<Transport> {
    const { signal } = this.#gaveUp;
    const transport = await network.connect({ hostname, port, signal });
    const close = () => transport.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      const { bytes, info } = await readGreeting(transport);
      this.#greeting = bytes;
      checkOptions(info, options);
      if (info.tls_required === true && tls === undefined) throw new Error("the server requires TLS");
      if (tls === undefined || !info.tls_required && !info.tls_available) return transport;
      this.#encrypted = true;
      // Its name, because the client has resolved it to an address.
      return await tls.over(alreadyDialed(transport), clock).connect({
        hostname: tlsName || hostname,
        port,
        signal,
      });
    } catch (error) {
      transport.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const connection = this.#connection!;
    try {
      yield this.#greeting;
      let answered = false;
      for await (const frames of connection.batches()) {
        answered = true;
        yield* frames;
      }
      if (!answered && !this.#ended) yield rejection(this.#failed(endError(await connection.close())));
    } finally {
      const reason = await connection.close();
      if (!this.#ended) this.closeError ??= endError(reason);
      this.#settle(this.closeError);
    }
  }

  get isClosed(): boolean {
    return this.#connection?.open !== true;
  }

  isEncrypted(): boolean {
    return this.#encrypted;
  }

  send(frame: Uint8Array): void {
    this.#connection?.send(frame);
  }

  /** Sends what is queued, and closes. */
  async close(error?: Error): Promise<void> {
    this.#ended = true;
    this.#gaveUp.abort();
    if (this.#connection === undefined) return;
    await this.#connection.close();
    this.#settle(error);
  }

  disconnect(): void {
    this.#ended = true;
    this.#connection?.abort();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  /** Closes without reporting it. */
  discard(): void {
    this.#discarded = true;
    this.#gaveUp.abort();
    this.disconnect();
  }

  #failed(error: Error): Error {
    if (!this.#ended) this.#onFailed(error);
    this.closeError = error;
    return error;
  }

  #settle(error: Error | undefined): void {
    if (!this.#discarded) this.#closed.resolve(error);
  }
}

interface Greeting {
  /** The bytes that were read. The client parses them again. */
  readonly bytes: Uint8Array;
  readonly info: ServerInfo;
}

/** Reads the first line of a NATS server, which comes in plain text even if TLS follows. */
async function readGreeting(transport: Transport): Promise<Greeting> {
  const chunk = new Uint8Array(4096);
  let bytes = new Uint8Array(0);
  while (bytes.length < LONGEST_GREETING) {
    const count = await transport.read(chunk);
    if (count === null) throw new Error("the server closed the connection before it said anything");
    bytes = DataBuffer.concat(bytes, chunk.subarray(0, count)) as Uint8Array<ArrayBuffer>;
    if (!bytes.includes(LF)) continue;
    const [, info] = INFO.exec(decoder.decode(bytes)) ?? [];
    if (info === undefined) break;
    return { bytes, info: JSON.parse(info) as ServerInfo };
  }
  throw new Error("this is not a NATS server");
}

const LF = 10;
const decoder = new TextDecoder();

/** Returns a network that has nothing but a connected transport. */
function alreadyDialed(transport: Transport): Network {
  return {
    connect: () => Promise.resolve(transport),
    listen() {
      throw new TypeError("Cannot listen: this network is one connection");
    },
  };
}

/** Returns the reason why a server cannot be connected to. */
function dialError(cause: unknown): Error {
  const code = sortConnectError(cause);
  if (code !== "other" && code !== "tls") return new Error(`connection ${code}`, { cause });
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Returns the reason why a server's connection ended. */
function endError(reason: CloseReason): Error {
  if (reason.type === "natural") return new Error("the server closed the connection");
  return new Error("error" in reason ? reason.error.message : describeCloseReason(reason));
}

/**
 * Returns an end as an error of the server. The NATS client (3.4.0) does not notice that a connection ends before the server
 * has answered, as after the alert of one that refuses a certificate; it would wait for its timeout.
 */
function rejection(error: Error): Uint8Array {
  return new TextEncoder().encode(
    `-ERR '${UNANSWERED}${error.message.replace(/[\r\n']/g, " ")}'\r\n`,
  );
}

/** An echo and a chat over UDP. @module */
import { type Datagram, DatagramSocket, type DatagramStats, MAX_DATAGRAM } from "../../socket/udp.ts";
import type { ListenerEvent } from "../../socket/listener/event.ts";
import { bindAll } from "../../socket/listener/bind_all.ts";
import { closeOnAbort } from "../../socket/listener/close_on_abort.ts";
import { type Address, formatAddress } from "../../socket/network.ts";
import { type Clock } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";
import { sanitize } from "../chat/text.ts";
import { DatagramGuard } from "./guard.ts";
import { DatagramRoom } from "./room.ts";
import type { Service } from "../service.ts";

/** Limits of a datagram service. */
export interface DatagramLimits {
  /** Limit of senders in a chat. Default 64. */
  maxSenders?: number;
  /**
   * Limit of datagrams per second and source address that are answered or forwarded, because a source can be forged; 0
   * disables. After a quiet second, as many are answered immediately. Default 1000.
   */
  answerRate?: number;
}

/** Timeouts of a datagram service, in ms. */
export interface DatagramTimeouts {
  /** Silence after which a sender leaves a chat. Default 300,000. */
  sender?: number;
}

/** Options for {@linkcode startDatagramEcho}. */
export interface DatagramEchoOptions {
  /**
   * Addresses to bind, all on one port. Default `["127.0.0.1"]`. With a wildcard (`0.0.0.0`, `::`), the OS picks the source
   * address of answers. On a machine with several addresses, it can differ from the address that a client sent to, so bind
   * each address by name.
   */
  hostnames?: readonly string[];
  /** Addresses to bind as well if possible. Default none. */
  tryHostnames?: readonly string[];
  /** Receives the events of the service: an address that could not be bound. Must not throw. */
  onEvent?: (event: Extract<ListenerEvent<never>, { type: "not-bound" }>) => void;
  /** Port; 0 lets the OS pick one. Default 0. */
  port?: number;
  /** Whether a datagram goes to all other recent senders, instead of back. Default `false`. */
  chat?: boolean;
  /** Limits of senders and answers. */
  limits?: DatagramLimits;
  /** Timeouts of senders. */
  timeouts?: DatagramTimeouts;
  /** Closes the service when it aborts. */
  signal?: AbortSignal;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** Counters of a datagram service. */
export interface DatagramEchoStats extends DatagramStats {
  /** Datagrams that could not be sent. */
  readonly failed: number;
  /** Datagrams ignored because they claimed to come from the service itself. */
  readonly ignored: number;
  /** Datagrams ignored because of `limits.answerRate`. */
  readonly limited: number;
  /** Senders in a chat. */
  readonly senders: number;
}

const MAX_SENDERS = 64;
const SENDER_TIMEOUT = 300_000;
const ANSWER_RATE = 1000;

/**
 * Starts a UDP echo or chat. In a chat, a datagram goes to all other recent senders, with its sender's address in front.
 *
 * @returns The service, after it has bound its addresses.
 * @throws {Deno.errors.AddrInUse} If the port is taken, and the other errors of `Deno.listenDatagram`.
 *
 * @example
 * ```ts
 * import { startDatagramEcho } from "@okline/okline/services";
 * import { DatagramSocket } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startDatagramEcho();
 * using client = new DatagramSocket();
 * const bytes = new Uint8Array([1, 2, 3]);
 * assertEquals(await client.ask(bytes, server.addresses[0]!), bytes);
 * ```
 */
export function startDatagramEcho(options: DatagramEchoOptions = {}): Service<DatagramEchoStats> {
  return new DatagramEcho(options);
}

class DatagramEcho implements Service<DatagramEchoStats> {
  readonly finished: Promise<void>;
  readonly #sockets: readonly DatagramSocket[];
  readonly #clock: Clock;
  readonly #guard: DatagramGuard;
  readonly #room: DatagramRoom<DatagramSocket> | undefined;
  #failed = 0;
  #ignored = 0;
  #limited = 0;

  constructor(options: DatagramEchoOptions) {
    const {
      hostnames = ["127.0.0.1"],
      tryHostnames = [],
      limits: { maxSenders = MAX_SENDERS, answerRate = ANSWER_RATE } = {},
      timeouts: { sender = SENDER_TIMEOUT } = {},
    } = options;
    options.signal?.throwIfAborted();
    this.#clock = options.clock ?? systemClock;
    this.#room = options.chat ? new DatagramRoom({ maxSenders, forgetAfter: sender }) : undefined;
    const { sockets, notBound } = bindAll(
      { hostnames, tryHostnames, port: options.port ?? 0 },
      (hostname, port) => new DatagramSocket({ hostname, port }),
    );
    this.#sockets = sockets;
    for (const { hostname, cause } of notBound) options.onEvent?.({ type: "not-bound", hostname, cause });
    this.#guard = new DatagramGuard({ own: this.addresses, rate: answerRate });
    this.finished = this.#serveAll();
    closeOnAbort(this, options.signal);
  }

  get addresses(): readonly Address[] {
    return this.#sockets.map((socket) => socket.address);
  }

  get port(): number {
    return this.#sockets[0]!.address.port;
  }

  stats(): DatagramEchoStats {
    const sum = (count: (stats: DatagramStats) => number) =>
      this.#sockets.reduce((total, socket) => total + count(socket.stats()), 0);
    return {
      received: sum((stats) => stats.received),
      sent: sum((stats) => stats.sent),
      bytesIn: sum((stats) => stats.bytesIn),
      bytesOut: sum((stats) => stats.bytesOut),
      failed: this.#failed,
      ignored: this.#ignored,
      limited: this.#limited,
      senders: this.#room?.size ?? 0,
    };
  }

  /** Closes like `close`, because a datagram is answered immediately or never. */
  async shutdown(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    this.#closeSockets();
    await this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #serveAll(): Promise<void> {
    try {
      await Promise.all(this.#sockets.map((socket) => this.#serve(socket)));
    } finally {
      this.#closeSockets();
    }
  }

  async #serve(socket: DatagramSocket): Promise<void> {
    for await (const datagram of socket) {
      const verdict = this.#guard.judge(datagram.from, this.#clock.now());
      if (verdict === "own") this.#ignored++;
      else if (verdict === "limited") this.#limited++;
      else if (this.#room) await this.#forward(socket, datagram, this.#room);
      else await this.#send(socket, datagram.bytes, datagram.from);
    }
  }

  async #forward(
    socket: DatagramSocket,
    { bytes, from }: Datagram,
    room: DatagramRoom<DatagramSocket>,
  ): Promise<void> {
    const others = room.hear({ address: from, via: socket }, this.#clock.now());
    if (!others) {
      await this.#send(socket, encode("error the room is full"), from);
      return;
    }
    const text = sanitize(new TextDecoder().decode(bytes).replace(/\r?\n$/, ""));
    const message = encode(`${formatAddress(from)}: ${text}`);
    // The IPv4 limit also for receivers over IPv6, so that all receive the same messages.
    if (message.length > MAX_DATAGRAM) {
      await this.#send(socket, encode("error message is too long to be forwarded"), from);
      return;
    }
    await Promise.all(others.map(({ via, address }) => this.#send(via, message, address)));
  }

  /** Counts a datagram that cannot be sent, for example without a route. UDP promises no delivery. */
  async #send(socket: DatagramSocket, bytes: Uint8Array, to: Address): Promise<void> {
    try {
      await socket.send(bytes, to);
    } catch {
      this.#failed++;
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

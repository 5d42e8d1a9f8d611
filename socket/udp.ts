/** UDP: messages that can be lost, duplicated, or reordered. @module */
import { plural } from "../internal/plural.ts";
import { type Address, formatAddress } from "./network.ts";
import { type Clock } from "../internal/clock.ts";
import { systemClock } from "./tcp.ts";

/** Maximum size of a datagram over IPv4: 65,535 bytes minus the headers of IP and UDP. IPv6 carries 20 bytes more. */
export const MAX_DATAGRAM = 65_507;
const MAX_DATAGRAM_IPV6 = 65_527;
/** Larger than any datagram. Deno's own buffer is not: it cuts the largest ones of IPv6 without an error. */
const RECEIVE_BUFFER = 65_536;

/** A received message. */
export interface Datagram {
  /** The content. */
  readonly bytes: Uint8Array;
  /** The address of the sender. */
  readonly from: Address;
}

/** Options for {@linkcode DatagramSocket}. */
export interface DatagramOptions {
  /** Address to bind. Default `127.0.0.1`. */
  hostname?: string;
  /** Port; with 0, the OS picks one. Default 0. */
  port?: number;
}

/** Options for {@linkcode DatagramSocket.ask}. */
export interface AskOptions {
  /** Time in ms to wait for an answer after each attempt. Default 1000. */
  timeout?: number;
  /** Number of attempts. Default 3. */
  attempts?: number;
  /** Whether a datagram from that address is the answer. Default: every datagram is. */
  isAnswer?: (bytes: Uint8Array) => boolean;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** Counters of a {@linkcode DatagramSocket}. */
export interface DatagramStats {
  /** Datagrams received. */
  readonly received: number;
  /** Datagrams sent. */
  readonly sent: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes sent. */
  readonly bytesOut: number;
}

const TIMEOUT = 1000;
const ATTEMPTS = 3;

/**
 * A UDP socket. A loop over it receives datagrams and ends when it is closed. Use one loop or `ask` at a time.
 *
 * @example
 * ```ts
 * import { DatagramSocket } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using server = new DatagramSocket();
 * using client = new DatagramSocket();
 * const served = (async () => {
 *   for await (const { bytes, from } of server) await server.send(bytes, from);
 * })();
 * const answer = await client.ask(new TextEncoder().encode("hello"), server.address);
 * assertEquals(new TextDecoder().decode(answer), "hello");
 * server.close();
 * await served;
 * ```
 */
export class DatagramSocket implements Disposable, AsyncIterable<Datagram> {
  /** The address that is bound. */
  readonly address: Address;
  readonly #socket: Deno.DatagramConn;
  readonly #buffer = new Uint8Array(RECEIVE_BUFFER);
  /** A pending receive without a consumer: it outlives a wait that timed out. */
  #receiving: Promise<Datagram | undefined> | undefined;
  #closed = false;
  #received = 0;
  #sent = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /**
   * Binds a socket.
   *
   * @throws {Deno.errors.AddrInUse} If the port is taken, and the other errors of `Deno.listenDatagram`.
   */
  constructor(options: DatagramOptions = {}) {
    const { hostname = "127.0.0.1", port = 0 } = options;
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    this.address = toAddress(this.#socket.addr);
  }

  /**
   * Sends a message. Delivery is not guaranteed.
   *
   * @throws {RangeError} If it is longer than {@linkcode MAX_DATAGRAM}, or 65,527 bytes over IPv6. Errors of the OS are
   * also thrown, for example without a route.
   */
  async send(bytes: Uint8Array, to: Address): Promise<void> {
    const limit = maxDatagram(to);
    if (bytes.length > limit) {
      throw new RangeError(`Cannot send a datagram of ${bytes.length} bytes: at most ${limit} fit`);
    }
    await this.#socket.send(bytes, { transport: "udp", hostname: to.hostname, port: to.port });
    this.#sent++;
    this.#bytesOut += bytes.length;
  }

  /**
   * Sends a message until it is answered. It can arrive more than once. Datagrams from other addresses, or that are not an
   * answer, are dropped.
   *
   * @param to An IP literal and a port, because an answer is recognized by its sender.
   * @throws {Deno.errors.TimedOut} If no answer arrives.
   * @throws {RangeError} If it is too long.
   */
  async ask(bytes: Uint8Array, to: Address, options: AskOptions = {}): Promise<Uint8Array> {
    const { timeout = TIMEOUT, attempts = ATTEMPTS, isAnswer = () => true, clock = systemClock } = options;
    let stranger: Address | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      await this.send(bytes, to);
      const late = Promise.withResolvers<"late">();
      const timer = clock.after(timeout, () => late.resolve("late"));
      try {
        for (;;) {
          const datagram = await Promise.race([this.#receive(), late.promise]);
          if (datagram === "late") break;
          if (datagram === undefined) throw new Deno.errors.Interrupted("Socket was closed");
          this.#receiving = undefined;
          if (formatAddress(datagram.from) !== formatAddress(to)) stranger = datagram.from;
          else if (isAnswer(datagram.bytes)) return datagram.bytes;
        }
      } finally {
        timer.cancel();
      }
    }
    throw new Deno.errors.TimedOut(
      `No answer from ${formatAddress(to)} within ${timeout} ms, asked ${plural(attempts, "time")}` +
        (stranger === undefined ? "" : `, but a datagram came from ${formatAddress(stranger)}`),
    );
  }

  /** Iterates over the datagrams received. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    for (;;) {
      const datagram = await this.#receive();
      if (datagram === undefined) return;
      this.#receiving = undefined;
      yield datagram;
    }
  }

  /** Returns the counters of the socket. */
  stats(): DatagramStats {
    return { received: this.#received, sent: this.#sent, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }

  /** Closes the socket and ends its loop. Safe to repeat. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** Closes like {@linkcode DatagramSocket.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the next datagram, the same for all waiters, or `undefined` at the end. */
  #receive(): Promise<Datagram | undefined> {
    return this.#receiving ??= this.#receiveNext();
  }

  async #receiveNext(): Promise<Datagram | undefined> {
    try {
      const [bytes, from] = await this.#socket.receive(this.#buffer);
      this.#received++;
      this.#bytesIn += bytes.length;
      // A copy, because the buffer is reused.
      return { bytes: bytes.slice(), from: toAddress(from) };
    } catch (error) {
      if (this.#closed) return undefined;
      throw error;
    }
  }
}

/** Returns the maximum size in bytes of a datagram to an address. */
function maxDatagram({ hostname }: Address): number {
  return hostname.includes(":") && !hostname.includes(".") ? MAX_DATAGRAM_IPV6 : MAX_DATAGRAM;
}

function toAddress(address: Deno.Addr): Address {
  if (address.transport !== "udp") throw new TypeError(`Not an address of UDP: ${address.transport}`);
  return { hostname: address.hostname, port: address.port };
}

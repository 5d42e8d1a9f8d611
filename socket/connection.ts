/** A connection to one peer. @module */
import type { ConnectionStats } from "./connection/options.ts";
import type { ConnectionSettings } from "./connection/settings.ts";
import type { LineSender } from "./codecs/line.ts";
import { ConnectionEnd } from "./connection/end.ts";
import type { CloseReason } from "./errors.ts";
import type { FrameSink } from "./connection/frame_iterator.ts";
import { Reader } from "./connection/reader.ts";
import type { Address, Transport } from "./network.ts";
import { readableOf, writableOf } from "./connection/web_streams.ts";
import { Writer } from "./connection/writer.ts";

export type { ConnectionOptions, ConnectionStats } from "./connection/options.ts";

/**
 * A connection to one peer that exchanges frames: lines by default, or what its codec makes of the bytes.
 *
 * It reads only on demand: unless a loop or a stream waits for frames, nothing is read, and the peer is held back.
 * `send` never waits; all frames sent in one turn of the event loop go out in one write, in order.
 *
 * A loop ends when no more frames will come, for any reason; {@linkcode Connection.closed} gives the reason. A loop
 * throws only a {@linkcode FramingError}, after the good frames, because the peer can still receive an answer.
 *
 * There is one way to end: {@linkcode Connection.close} gracefully, or {@linkcode Connection.abort} immediately.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen({ port: 0 });
 * server.serve(async (peer) => {
 *   let sum = 0;
 *   for await (const line of peer) sum += Number(line);
 *   peer.send(`${sum}`);
 * });
 *
 * await using client = await connect({ port: server.port });
 * for (const number of [1, 20, 300]) client.send(`${number}`);
 * await client.closeWrite();
 * assertEquals(await Array.fromAsync(client), ["321"]);
 * assertEquals(await client.close(), { type: "natural" });
 * ```
 */
export class Connection<Frame = string> implements AsyncDisposable {
  /** The number of the connection, unique within its listener; 0 for a client. */
  readonly id: number;
  /**
   * Resolves to `true` after the TLS handshake, or to `false` if the connection ends before. Undefined without a
   * handshake. A listener serves a connection only after it.
   */
  readonly ready: Promise<boolean> | undefined;
  readonly #transport: Transport;
  readonly #reader: Reader<Frame>;
  readonly #writer: Writer<Frame>;
  readonly #openedAt: number;
  readonly #end: ConnectionEnd<Frame>;
  #readable: ReadableStream<Frame> | undefined;
  #writable: WritableStream<Frame> | undefined;

  /** Creates a connection over an open transport. Use `connect` or `listen` instead. */
  constructor(transport: Transport, settings: ConnectionSettings<Frame>, id = 0) {
    this.id = id;
    this.#transport = transport;
    this.#openedAt = settings.clock.now();
    this.#end = new ConnectionEnd(this, transport, settings);
    this.#reader = new Reader(transport, settings, this.#end);
    this.#writer = new Writer(transport, settings, this.#end);
    this.#end.watch(this.#reader, this.#writer);
    this.ready = transport.ready && this.#shakeHands(transport.ready);
  }

  // A function of its own: its closures would cost a context for every connection.
  #shakeHands(ready: Promise<unknown>): Promise<boolean> {
    return ready.then(() => true, (cause) => {
      this.#end.fail({ type: "reset", cause });
      return false;
    });
  }

  /** The address of this side. */
  get local(): Address {
    return this.#transport.local;
  }

  /** The address of the peer. */
  get remote(): Address {
    return this.#transport.remote;
  }

  /**
   * Resolves to the reason for the end when the socket is closed; never rejects. Only reading and
   * writing notice the end of the peer: without both, it stays pending even after the peer has gone.
   */
  get closed(): Promise<CloseReason> {
    return this.#end.closed;
  }

  /** Whether the socket is still open. */
  get open(): boolean {
    return this.#end.reason === undefined;
  }

  /**
   * The reason for the end, as {@linkcode Connection.closed} gives it; undefined while the socket is open.
   *
   * @internal For the tunnel of proxy and balancer.
   */
  get endReason(): CloseReason | undefined {
    return this.#end.reason;
  }

  /** Whether the peer has sent its FIN. */
  get peerEnded(): boolean {
    return this.#reader.peerEnded;
  }

  /** Whether this side has finished: `send` takes no more frames. */
  get writeEnded(): boolean {
    return this.#writer.ended;
  }

  /** Bytes passed to `send` that the socket has not accepted yet. */
  get queuedBytes(): number {
    return this.#writer.queued;
  }

  /**
   * Iterates over the frames one by one. The connection is read only while a loop waits. A loop that is left early does
   * not close the connection, and a later loop goes on with the next frame.
   *
   * @throws {FramingError} After the good frames; nothing more can be read then. `close` with the reason ends it.
   * @throws {TypeError} If two loops wait in parallel.
   *
   * @example
   * ```ts
   * import { connect, listen } from "@okline/okline/socket";
   * import { MemoryNetwork } from "@okline/okline/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new MemoryNetwork();
   * await using server = listen({ network, port: 8000 });
   * server.serve(async (peer) => {
   *   for await (const line of peer) peer.send(line.toUpperCase());
   * });
   *
   * await using client = await connect({ network, port: 8000 });
   * client.send("hello");
   * for await (const line of client) {
   *   assertEquals(line, "HELLO");
   *   break;
   * }
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Frame> {
    return this.#reader.each();
  }

  /**
   * Iterates over the frames of each read, which is faster than one by one. A batch is never empty and has at most 1024
   * frames. Goes on and throws like iteration over the connection itself.
   */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    return this.#reader.batches();
  }

  /**
   * Calls `handle` with the frames of each read until no more will come. An error thrown by `handle` ends it.
   *
   * @internal For the load generator: it makes no promise per read.
   */
  consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    return this.#reader.consume(handle);
  }

  /**
   * Passes the frames of each read to a sink until no more will come.
   *
   * @internal For the relay: it makes no promise per read, which saves a tenth of the CPU with 10,000 connections of which
   * 200 are busy; and, together with {@linkcode Listener.serveWith}, none per connection, which saves a quarter of the memory
   * of an idle one.
   */
  feed(sink: FrameSink<Frame>): void {
    this.#reader.feed(sink);
  }

  /**
   * Reads on after a sink took no more.
   *
   * @internal For the tunnel of proxy and balancer.
   */
  feedOn(): void {
    this.#reader.feedOn();
  }

  /**
   * Sends a piece that another connection has read for a sink, within this call: without a copy, unless this socket does
   * not take it all.
   *
   * @internal For the tunnel of proxy and balancer.
   * @returns Whether the socket has taken everything. If not, the sink takes no more until {@linkcode Connection.flushed}.
   */
  pass(this: Connection<Uint8Array>, piece: Uint8Array, from: Connection<Uint8Array>): boolean {
    return this.#writer.sendNow(piece, from.#reader.lends);
  }

  /**
   * The frames as a web stream. It reads one frame per pull, so a slow consumer slows the peer down.
   *
   * It closes when the peer has finished, or this side closes the connection. It errors with a {@linkcode FramingError},
   * or with a {@linkcode ConnectionClosedError} if the connection breaks, so that a partial transfer does not look
   * complete. Canceling it ends reading: everything that the peer still sends is discarded. The connection stays open
   * for writing until it is closed.
   *
   * @example
   * ```ts
   * import { connect, listen } from "@okline/okline/socket";
   * import { MemoryNetwork } from "@okline/okline/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new MemoryNetwork();
   * await using server = listen({ network, port: 8000 });
   * server.serve((peer) => peer.readable.pipeTo(peer.writable)); // an echo
   *
   * await using client = await connect({ network, port: 8000 });
   * await ReadableStream.from(["one", "two"]).pipeTo(client.writable);
   * assertEquals(await Array.fromAsync(client.readable), ["one", "two"]);
   * ```
   */
  get readable(): ReadableStream<Frame> {
    return this.#readable ??= readableOf(this.#reader, () => this.closed);
  }

  /**
   * A web stream that sends each chunk as a frame. A write waits for {@linkcode Connection.flushed} when
   * {@linkcode Connection.send} returns `false`.
   *
   * Closing it half-closes like {@linkcode Connection.closeWrite}, and aborting it closes the connection like
   * {@linkcode Connection.abort}. It errors with a {@linkcode ConnectionClosedError} when the connection ends first.
   */
  get writable(): WritableStream<Frame> {
    return this.#writable ??= writableOf(
      this.#writer,
      () => this.closed,
      (why) => this.abort({ type: "local", why }),
    );
  }

  /**
   * Queues a frame, which is written at the end of this turn of the event loop. Never waits.
   *
   * @returns `false` if the peer falls behind, or the connection is closed: wait for `flushed` before sending more. A
   * peer with more than `limits.writeBuffer` pending bytes is closed as a slow reader.
   * @throws {TypeError} If the codec cannot carry the frame, for example a line that contains a line feed.
   */
  send(frame: Frame): boolean {
    return this.#writer.send(frame);
  }

  /**
   * Sends lines that are bytes; it takes their place among what {@linkcode Connection.send} gets.
   *
   * @internal For the relay and the echo, which keep it: with thousands of connections, each object that a message needs is out of the
   * processor's cache.
   */
  get lineSender(): LineSender {
    return this.#writer;
  }

  /**
   * Waits until the socket has accepted everything passed to `send`.
   *
   * @throws {ConnectionClosedError} If the connection closes first; it counts the unsent bytes.
   */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  /**
   * Half-closes: sends the queued frames, then FIN. Reading goes on; from now on `send` returns `false`.
   *
   * @throws {ConnectionClosedError} If the connection closes before everything is sent.
   */
  closeWrite(): Promise<void> {
    return this.#writer.closeWrite();
  }

  /**
   * Half-closes without a promise.
   *
   * @internal For the tunnel of proxy and balancer.
   * @returns Whether the FIN is sent. If not, `closeWrite` waits for it.
   */
  closeWriteNow(): boolean {
    this.#writer.end();
    return this.#writer.finSent;
  }

  /**
   * Closes gracefully: sends the queued frames, then FIN, discards input until the peer's FIN, and closes the socket.
   * Closing without reading to the end would reset the connection, and the peer could lose data it has not read yet.
   *
   * @param why The reason that `closed` will give. Default natural. For any other, the `farewell` is sent first. For a
   * timeout, or a peer that did not authenticate, the wait is at most a second.
   * @returns The reason that `closed` gives. It differs from `why` if `why` is natural and the connection fails first,
   * or if `why` is natural or local and closing takes longer than `timeouts.drain`. `stats().queuedBytes` counts the
   * bytes that could not be sent.
   */
  close(why?: CloseReason): Promise<CloseReason> {
    return this.#end.close(why);
  }

  /** Closes immediately and drops the queued frames. Does nothing if the connection has ended. */
  abort(why: CloseReason = { type: "local", why: "closed" }): void {
    this.#end.finish(why);
  }

  /**
   * Closes like {@linkcode Connection.abort}, but with a reset (RST) instead of a FIN, so that the peer cannot mistake a
   * partial transfer for a complete one. Deno's own sockets cannot reset: with them, this is the same as `abort`.
   */
  reset(why: CloseReason = { type: "local", why: "reset" }): void {
    this.#end.finish(why, true);
  }

  /** Returns the counters of this connection. */
  stats(): ConnectionStats {
    return {
      openedAt: this.#openedAt,
      bytesIn: this.#reader.bytes,
      bytesOut: this.#writer.bytes,
      framesIn: this.#reader.frames,
      framesOut: this.#writer.frames,
      queuedBytes: this.#writer.queued,
    };
  }

  /** Closes like {@linkcode Connection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

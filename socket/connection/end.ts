/** The end of a connection, in the only place where connections end. @module */
import type { Timer } from "../../internal/clock.ts";
import type { Connection } from "../connection.ts";
import type { ConnectionSettings } from "./settings.ts";
import { type CloseReason, closeReasonOf, type HalfOwner, type SocketFailure } from "../errors.ts";
import type { Transport } from "../network.ts";
import type { Reader } from "./reader.ts";
import { type Timeouts, watchPeer } from "./timeouts.ts";
import type { Writer } from "./writer.ts";

// A peer that was late, or did not authenticate, may not be reading, so the wait for it is short.
const LATE_DRAIN_TIMEOUT = 1000;
const NATURAL: CloseReason = { type: "natural" };

/** Ends one connection once, for the first reason: on request, after a failure, or after a timeout. */
export class ConnectionEnd<Frame> implements HalfOwner {
  readonly #connection: Connection<Frame>;
  readonly #transport: Transport;
  readonly #settings: ConnectionSettings<Frame>;
  #reader!: Reader<Frame>;
  #writer!: Writer<Frame>;
  /** Created on demand. */
  #closed: PromiseWithResolvers<CloseReason> | undefined;
  /** The reason passed to `close`. */
  #ending: CloseReason | undefined;
  #reason: CloseReason | undefined;
  #timeouts: Timeouts | undefined; // Most connections have only a drain timeout.
  #drain: Timer | undefined;

  constructor(connection: Connection<Frame>, transport: Transport, settings: ConnectionSettings<Frame>) {
    this.#connection = connection;
    this.#transport = transport;
    this.#settings = settings;
  }

  /** Takes the parts that report their failures here, and watches the timeouts of the connection from now on. */
  watch(reader: Reader<Frame>, writer: Writer<Frame>): void {
    this.#reader = reader;
    this.#writer = writer;
    const { clock, timeouts } = this.#settings;
    if (timeouts !== undefined) {
      this.#timeouts = watchPeer(timeouts, {
        clock,
        openedAt: clock.now(),
        reader,
        writer,
        late: (which, ms) => this.#late({ type: "timeout", which, ms }),
      });
    }
  }

  /** The reason; undefined while the connection has not ended. */
  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  /** Resolves to the reason; never rejects. */
  get closed(): Promise<CloseReason> {
    if (this.#reason !== undefined) return Promise.resolve(this.#reason);
    return (this.#closed ??= Promise.withResolvers()).promise;
  }

  /** Ends gracefully; see {@linkcode Connection.close}. */
  close(why: CloseReason = NATURAL): Promise<CloseReason> {
    if (this.#reason === undefined && this.#ending === undefined) {
      if (why.type !== "natural") this.#sendFarewell(why);
      if (this.#reader.peerEnded && this.#writer.finSent) this.finish(why);
      else if (this.#reason === undefined) this.#exchangeFins(why);
    }
    return this.closed;
  }

  /** Ends after a failed read or write, or a failure of the codec. */
  fail(failure: SocketFailure): void {
    const { type } = failure;
    const bySocket = type === "reset" || type === "write-failed";
    if (bySocket && this.#ending !== undefined && this.#ending.type !== "natural") {
      this.finish(this.#ending); // It was ending anyway.
    } else if (type === "write-failed" && this.#reader.peerEnded) {
      this.finish(NATURAL); // A peer that has finished may stop reading.
    } else {
      this.finish(closeReasonOf(failure));
    }
  }

  /** Ends now. */
  finish(reason: CloseReason, byReset = false): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#timeouts?.cancel();
    this.#drain?.cancel();
    this.#reader.stop();
    this.#writer.stop(reason);
    if (byReset && this.#transport.reset !== undefined) this.#transport.reset();
    else this.#transport.close();
    // Deferred, because the caller may be in the middle of a change; but before `closed` resolves.
    const { onClosed } = this.#settings;
    if (onClosed !== undefined) queueMicrotask(() => onClosed(this.#connection, reason));
    this.#closed?.resolve(reason);
  }

  /** Without promises, because thousands of connections may close together. */
  #exchangeFins(why: CloseReason): void {
    this.#ending = why;
    // Both start now: a peer that is busy writing may not read until it has finished.
    this.#reader.discard();
    this.#writer.end();
    // Often, both sides have finished by now.
    if (this.#reason === undefined) this.#limitDrain(why);
  }

  #limitDrain(why: CloseReason): void {
    const { clock, drainTimeout } = this.#settings;
    const late = why.type === "timeout" || why.type === "unauthorized";
    const ms = late ? Math.min(LATE_DRAIN_TIMEOUT, drainTimeout) : drainTimeout;
    const own = why.type === "natural" || why.type === "local";
    this.#drain = clock.after(ms, () => this.finish(own ? { type: "timeout", which: "drain", ms } : why));
  }

  /** Called by a half: ends when both sides have finished. */
  halfEnded(): void {
    if (this.#ending !== undefined && this.#reader.peerEnded && this.#writer.finSent) {
      this.finish(this.#ending);
    }
  }

  /** Ends after a timeout. A peer that does not read gets no farewell. */
  #late(why: CloseReason & { type: "timeout" }): void {
    if (this.#settings.farewell === undefined || this.#writer.writing) this.finish(why);
    else void this.close(why);
  }

  #sendFarewell(why: CloseReason): void {
    try {
      const frame = this.#settings.farewell?.(why);
      if (frame !== undefined) this.#writer.send(frame);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.finish({ type: "handler-failed", error });
    }
  }
}

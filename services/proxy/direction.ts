/** Bytes in one direction between two connections. @module */
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";
import { type CloseReason, ConnectionClosedError } from "../../socket/errors.ts";

// A request fits in; more is left in the kernel, so that waiting clients cannot fill the memory.
const MOST_HELD = 16 * 1024;

/** The owner of two directions. */
export interface DirectionOwner {
  /** Bytes have moved. */
  touch(): void;
  /** Called once for each direction: its input has ended and is passed on, or one of its connections has ended. */
  ended(): void;
  /** Its connection has closed before there was another to pass bytes to. */
  gone(): void;
  /** An error that is not the end of a connection. */
  failed(error: unknown): void;
}

/**
 * Passes the bytes of one connection on to another. They are written where they were read, in the same call.
 *
 * Before there is another connection, it reads all the same, so that a reset is noticed at once, and keeps what it reads. A
 * peer that has sent more than 16 KiB is not read from anymore until {@linkcode Direction.passTo}, and its reset is noticed
 * only then.
 */
export class Direction implements FrameSink<Uint8Array> {
  readonly keepsNothing = true;
  readonly from: Connection<Uint8Array>;
  readonly #owner: DirectionOwner;
  #to: Connection<Uint8Array> | undefined;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #inputEnded = false;
  /** Whether the other connection was sent everything, and a FIN. */
  #complete = false;
  #over = false;

  /** @param to Where the bytes go. Not given while it is not connected. */
  constructor(from: Connection<Uint8Array>, owner: DirectionOwner, to?: Connection<Uint8Array>) {
    this.from = from;
    this.#owner = owner;
    this.#to = to;
  }

  /** Passes the bytes on, from their start. */
  passTo(to: Connection<Uint8Array>): void {
    this.#to = to;
    const held = this.#held;
    this.#held = undefined;
    const taken = held === undefined || this.#pass(held, to);
    if (this.#inputEnded) this.#finish(to);
    else if (taken) this.from.feedOn();
  }

  take(pieces: readonly Uint8Array[]): boolean {
    return this.#to === undefined ? this.hold(pieces) : this.#pass(pieces, this.#to);
  }

  /** Keeps copies of pieces, because the next read overwrites their memory. Returns whether it takes more. */
  hold(pieces: readonly Uint8Array[]): boolean {
    const held = this.#held ??= [];
    for (const piece of pieces) {
      held.push(piece.slice());
      this.#heldBytes += piece.length;
    }
    return this.#heldBytes < MOST_HELD;
  }

  ended(error?: unknown): void {
    if (error !== undefined) return this.#owner.failed(error);
    this.#inputEnded = true;
    if (this.#to !== undefined) this.#finish(this.#to);
    else if (!this.from.open) this.#owner.gone();
    else void this.from.closed.then(() => this.#to === undefined && this.#owner.gone());
  }

  /**
   * If its connection has ended, ends the other one, so that what that was sent does not look complete unless it is.
   */
  breakOffIfEnded(): void {
    const reason = this.from.endReason;
    if (reason === undefined) return;
    const why = reason.type === "reset" ? "other side was reset" : "other side ended";
    this.breakOff({ type: "local", why });
  }

  /** Ends the other connection. */
  breakOff(why: CloseReason): void {
    if (this.#complete) this.#to?.abort(why);
    else this.#to?.reset(why);
  }

  #pass(pieces: readonly Uint8Array[], to: Connection<Uint8Array>): boolean {
    this.#owner.touch();
    let taken = true;
    for (const piece of pieces) taken = to.pass(piece, this.from);
    if (!taken) to.flushed().then(() => this.#feedOn(to), (error) => this.#failed(error));
    return taken;
  }

  #feedOn(to: Connection<Uint8Array>): void {
    this.#owner.touch();
    if (to.open) this.from.feedOn();
    else this.#end();
  }

  #finish(to: Connection<Uint8Array>): void {
    if (!this.from.peerEnded || !this.from.open || !to.open) return this.#end();
    // Also on the side that finishes last: TLS says goodbye before its FIN.
    if (to.closeWriteNow()) this.#completed();
    else to.closeWrite().then(() => this.#completed(), (error) => this.#failed(error));
    // Nothing reads from it anymore, and so nothing else notices its end.
    if (this.from.open) void this.from.closed.then(() => this.breakOffIfEnded());
  }

  #completed(): void {
    this.#complete = true;
    this.#end();
  }

  #failed(error: unknown): void {
    // Expected when a connection closes; its `closed` has the reason.
    if (error instanceof ConnectionClosedError) this.#end();
    else this.#owner.failed(error);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.ended();
  }
}

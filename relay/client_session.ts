/** One connection of a relay client: message, answers, close. @module */
import { isAuthRefusal } from "../access/authenticate.ts";
import { decodeFrame, encodeFrame, ProtocolError } from "../protocol.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, FramingError } from "../socket/errors.ts";
import type { FrameSink } from "../socket/connection/frame_iterator.ts";
import type { RelayClientObserver, ReplyDelay } from "./client_options.ts";

/** State that the sessions of a client share: its settings, and what the server has answered. */
export interface ClientState {
  readonly text: string;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly ackTimeout: number;
  readonly replyDelay: ReplyDelay;
  readonly linger: number;
  readonly observer: RelayClientObserver;
  /** Whether the ok for its message has come. */
  acknowledged: boolean;
  /** Whether the server wants another token. */
  refused: boolean;
}

/** A message that waits for its answer. */
interface HeldMessage {
  readonly timer: Timer;
  readonly due: number;
}

/**
 * Runs a connection to its end. It takes its lines by calls: a load test has ten thousand sessions that wait for input, and
 * the frames of async functions would be a third of their memory.
 */
export class ClientSession implements FrameSink<string> {
  readonly connection: Connection;
  readonly #client: ClientState;
  readonly #over = Promise.withResolvers<CloseReason>();
  /** Messages that wait for their answers. Created on demand. */
  #held: Set<HeldMessage> | undefined;
  readonly #late: Timer;
  #lingering: Timer | undefined;
  #ending: Promise<CloseReason> | undefined;

  /** Sends the message. */
  constructor(connection: Connection, client: ClientState) {
    this.connection = connection;
    this.#client = client;
    const { observer, token, text, clock, ackTimeout: ms } = client;
    observer.connected?.(connection);
    if (token !== undefined) connection.send(encodeFrame({ verb: "auth", text: token }));
    connection.send(encodeFrame({ verb: "message", text }));
    observer.sent?.(connection);
    this.#late = clock.after(ms, () => connection.abort({ type: "timeout", which: "acknowledgment", ms }));
  }

  /** Reads to the end of the connection, and resolves to the reason when it has closed. */
  run(): Promise<CloseReason> {
    this.connection.feed(this);
    return this.#over.promise;
  }

  /** Called by the connection. */
  take(lines: readonly string[]): void {
    for (const line of lines) this.#line(line);
  }

  /** Called by the connection. */
  ended(error?: unknown): void {
    this.#late.cancel();
    this.#lingering?.cancel();
    for (const held of this.#held ?? []) held.timer.cancel();
    this.#held = undefined;
    if (error !== undefined && !(error instanceof FramingError)) return this.#over.reject(error);
    this.#end(error).then((reason) => {
      this.#client.observer.closed?.(this.connection, reason);
      this.#over.resolve(reason);
    }).catch(this.#over.reject);
  }

  /** Closes the connection, unless it is closing already. */
  #end(framing: FramingError | undefined): Promise<CloseReason> {
    const { connection } = this;
    if (framing !== undefined) return connection.close({ type: "framing", error: framing });
    const early: CloseReason = { type: "local", why: "the server ended before the ok" };
    return this.#ending ??= this.#client.acknowledged ? connection.close() : connection.close(early);
  }

  #line(line: string): void {
    const { connection } = this;
    const { observer } = this.#client;
    let frame;
    try {
      frame = decodeFrame(line);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      observer.complained?.(connection, error);
      return;
    }
    switch (frame.verb) {
      case "message":
        this.#hold(frame.text);
        break;
      case "ok":
        this.#ok(frame.text);
        break;
      case "error":
        // Of the message that came after the wrong token it complains as well.
        if (this.#client.refused) break;
        observer.complained?.(connection, frame.text);
        if (!this.#client.acknowledged && isAuthRefusal(frame.text)) this.#giveUp(frame.text);
        break;
      case "auth":
        observer.complained?.(
          connection,
          new ProtocolError("unknown-verb", "Unexpected auth from the server"),
        );
    }
  }

  #ok(text: string): void {
    const client = this.#client;
    const own = text === client.text && !client.acknowledged;
    client.observer.acknowledged?.(this.connection, text, own);
    if (!own) return;
    client.acknowledged = true;
    this.#late.cancel();
    this.#linger();
  }

  /** Answers a message after its delay. */
  #hold(text: string): void {
    const { observer, clock, replyDelay, acknowledged, linger } = this.#client;
    observer.received?.(this.connection, text);
    const since = clock.now();
    const delayMs = replyDelay.draw(text);
    if (delayMs <= 0) return this.#answer(text, since, delayMs);
    if (acknowledged && delayMs > linger) return; // The server gives it to another client when this one closes.
    const timer = clock.after(delayMs, () => {
      this.#held?.delete(held);
      this.#answer(text, since, delayMs);
      if (this.#client.acknowledged && this.#owesNothing) this.#finish();
    });
    const held = { timer, due: since + delayMs };
    (this.#held ??= new Set()).add(held);
  }

  #answer(text: string, since: number, delayMs: number): void {
    const { observer, clock } = this.#client;
    this.connection.send(encodeFrame({ verb: "ok", text }));
    observer.answered?.(this.connection, text, { heldMs: clock.now() - since, delayMs });
  }

  /**
   * Lingers: messages that were left would have to go to other clients. More of them come in until then, so the limit is for
   * each answer; one for all of the lingering left every eleventh message to others in a run with delays.
   */
  #linger(): void {
    const { clock, linger, ackTimeout } = this.#client;
    const until = clock.now() + linger;
    for (const held of this.#held ?? []) {
      if (held.due <= until) continue;
      held.timer.cancel();
      this.#held?.delete(held);
    }
    if (this.#owesNothing) return this.#finish();
    this.#lingering = clock.after(Math.max(linger, ackTimeout), () => this.#finish());
  }

  get #owesNothing(): boolean {
    return this.#held === undefined || this.#held.size === 0;
  }

  /** The server wants another token, or any token: no other attempt would present one. */
  #giveUp(why: string): void {
    this.#client.refused = true;
    this.#ending ??= this.connection.close({ type: "unauthorized", why });
  }

  #finish(): void {
    this.#ending ??= this.connection.close();
  }
}

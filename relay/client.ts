/** The life of a relay client: send, answer, close on its own ok; time out, reconnect, send again. @module */
import { decodeFrame, encodeFrame, ProtocolError } from "../protocol.ts";
import { isAuthRefusal } from "../access/authenticate.ts";
import { connect } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, FramingError } from "../socket/errors.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import { assertToken } from "../access/token_text.ts";
import { Reconnect } from "../socket/reconnect.ts";
import type {
  RelayClientObserver,
  RelayClientOptions,
  RelayClientResult,
  ReplyDelay,
} from "./client_options.ts";

const ACK_TIMEOUT = 10_000;
const NO_DELAY: ReplyDelay = { draw: () => 0, longest: 0 };

/** One client. {@linkcode runRelayClient} makes and runs one. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #clock: Clock;
  readonly #ackTimeout: number;
  readonly #replyDelay: ReplyDelay;
  readonly #linger: number;
  readonly #observer: RelayClientObserver;
  /** Answers to come on the present connection. */
  readonly #held = new Set<{ readonly timer: Timer; readonly due: number }>();
  #lingering: Timer | undefined;
  #connection: Connection | undefined;
  #ending: Promise<CloseReason> | undefined;
  readonly #attempts: Reconnect;
  #acknowledged = false;
  #refused = false;

  /**
   * Creates a client that does not run yet.
   *
   * @throws {RangeError} If the token cannot be one.
   */
  constructor(options: RelayClientOptions) {
    if (options.token !== undefined) assertToken(options.token);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { timeouts = {}, limits = {} } = options;
    this.#ackTimeout = timeouts.ack ?? ACK_TIMEOUT;
    this.#replyDelay = options.replyDelay ?? NO_DELAY;
    this.#linger = timeouts.linger ?? this.#replyDelay.longest;
    this.#observer = options.observer ?? {};
    this.#attempts = new Reconnect({
      clock: this.#clock,
      random: options.random ?? systemRandom,
      backOff: options.backOff,
      most: limits.maxAttempts,
      observer: this.#observer,
    });
  }

  /** Whether the ok for its message has come. */
  get acknowledged(): boolean {
    return this.#acknowledged;
  }

  /**
   * Sends until the ok has come and the connection is closed, or the attempts are used up, or the server does not let it in for
   * want of the right token, or it is stopped. Once only.
   */
  async run(): Promise<RelayClientResult> {
    let closed: CloseReason | undefined;
    const attempt = async () => {
      closed = await this.#attempt();
    };
    const error = await this.#attempts.run(attempt, () => this.#acknowledged || this.#refused);
    return { acknowledged: this.#acknowledged, attempts: this.#attempts.count, closed, error };
  }

  /** Gives up now: closes the connection, waits and dials no more. */
  stop(): void {
    this.#attempts.stop();
    this.#connection?.abort({ type: "local", why: "stopped" });
  }

  async #attempt(): Promise<CloseReason> {
    const connection = await connect({
      ...this.#options,
      timeouts: { connect: this.#ackTimeout, ...this.#options.timeouts },
      signal: this.#attempts.signal,
    });
    this.#connection = connection;
    this.#ending = undefined;
    this.#observer.connected?.(connection);
    const { token } = this.#options;
    if (token !== undefined) connection.send(encodeFrame({ verb: "auth", text: token }));
    connection.send(encodeFrame({ verb: "message", text: this.#options.text }));
    this.#observer.sent?.(connection);
    const ms = this.#ackTimeout;
    const timer = this.#clock.after(
      ms,
      () => connection.abort({ type: "timeout", which: "acknowledgment", ms }),
    );
    try {
      for await (const lines of connection.batches()) {
        for (const line of lines) this.#line(connection, line, timer);
      }
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#ending = connection.close({ type: "framing", error });
    } finally {
      timer.cancel();
      this.#lingering?.cancel();
      for (const held of this.#held) held.timer.cancel();
      this.#held.clear();
    }
    const early: CloseReason = { type: "local", why: "the server ended before the ok" };
    this.#ending ??= this.#acknowledged ? connection.close() : connection.close(early);
    const reason = await this.#ending;
    this.#observer.closed?.(connection, reason);
    return reason;
  }

  #line(connection: Connection, line: string, timer: Timer): void {
    let frame;
    try {
      frame = decodeFrame(line);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#observer.complained?.(connection, error);
      return;
    }
    switch (frame.verb) {
      case "message":
        this.#hold(connection, frame.text);
        break;
      case "ok": {
        const own = frame.text === this.#options.text && !this.#acknowledged;
        this.#observer.acknowledged?.(connection, frame.text, own);
        if (!own) break;
        this.#acknowledged = true;
        timer.cancel();
        this.#lingerFor(connection);
        break;
      }
      case "error":
        // Of the message that came after the wrong token it complains as well.
        if (this.#refused) break;
        this.#observer.complained?.(connection, frame.text);
        if (!this.#acknowledged && isAuthRefusal(frame.text)) this.#giveUp(connection, frame.text);
        break;
      case "auth":
        this.#observer.complained?.(
          connection,
          new ProtocolError("unknown-verb", "Unexpected auth from the server"),
        );
    }
  }

  /** Answers a message after its delay. */
  #hold(connection: Connection, text: string): void {
    this.#observer.received?.(connection, text);
    const since = this.#clock.now();
    const delayMs = this.#replyDelay.draw(text);
    const answer = () => {
      connection.send(encodeFrame({ verb: "ok", text }));
      this.#observer.answered?.(connection, text, { heldMs: this.#clock.now() - since, delayMs });
    };
    if (delayMs <= 0) return answer();
    if (this.#acknowledged && delayMs > this.#linger) return; // Left to whom the server gives it next.
    const timer = this.#clock.after(delayMs, () => {
      this.#held.delete(held);
      answer();
      this.#endWhenAnswered(connection);
    });
    const held = { timer, due: since + delayMs };
    this.#held.add(held);
  }

  /**
   * Lingers: answers owed now would have to travel again if they were left. Messages go on to come in, so the bound is for each
   * answer; one for the whole of the lingering left every eleventh message to others in a run with delays.
   */
  #lingerFor(connection: Connection): void {
    const until = this.#clock.now() + this.#linger;
    for (const held of this.#held) {
      if (held.due <= until) continue;
      held.timer.cancel();
      this.#held.delete(held);
    }
    if (this.#held.size === 0) return this.#end(connection);
    this.#lingering = this.#clock.after(
      Math.max(this.#linger, this.#ackTimeout),
      () => this.#end(connection),
    );
  }

  #endWhenAnswered(connection: Connection): void {
    if (this.#acknowledged && this.#held.size === 0) this.#end(connection);
  }

  /** The server wants another token, or one at all: no other attempt would show one. */
  #giveUp(connection: Connection, why: string): void {
    this.#refused = true;
    this.#ending ??= connection.close({ type: "unauthorized", why });
  }

  #end(connection: Connection): void {
    this.#ending ??= connection.close();
  }
}

/**
 * Sends a message through a relay until its ok has come.
 *
 * @returns How it ended, after its last connection is closed.
 *
 * @example
 * ```ts
 * import { runRelayClient, startRelay } from "@okline/okline/relay";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startRelay();
 * const texts = ["one", "two", "three"];
 * const results = await Promise.all(texts.map((text) => runRelayClient({ port: server.port, text })));
 * assertEquals(results.map((result) => result.closed?.type), ["natural", "natural", "natural"]);
 * ```
 */
export function runRelayClient(options: RelayClientOptions): Promise<RelayClientResult> {
  return new RelayClient(options).run();
}

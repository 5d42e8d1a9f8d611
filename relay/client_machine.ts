/** The states of a relay client: dialing, waiting for its ok, lingering, closing, and dialing again. @module */
import { isAuthRefusal } from "../access/authenticate.ts";
import { decodeFrame, escapeText, ProtocolError } from "../protocol.ts";
import type { Timer } from "../internal/clock.ts";
import { Line } from "../socket/codecs/line.ts";
import { type ConnectionReceiver, ConnectRequest, type Dial } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import type { FrameSink } from "../socket/connection/frame_iterator.ts";
import { type CloseReason, ConnectError, FramingError } from "../socket/errors.ts";
import { type Attempts, Reconnect, stoppedError } from "../socket/reconnect.ts";
import type { Deadline, Deadlines } from "./client_deadlines.ts";
import type { ClientSettings } from "./client_settings.ts";
import { type ClientTask, type HeldMessage, SERVER_ENDED_EARLY } from "./client_task.ts";

const encoder = new TextEncoder();
const MESSAGE = encoder.encode("message ");
const OK = encoder.encode("ok ");
const EARLY: CloseReason = { type: "local", why: SERVER_ENDED_EARLY };

/** A held message, in the list of its client. */
class Held<Message> implements HeldMessage<Message> {
  readonly message: Message;
  readonly since: number;
  readonly delayMs: number;
  timer: Timer | undefined = undefined;
  next: Held<Message> | undefined = undefined;
  previous: Held<Message> | undefined = undefined;

  constructor(message: Message, since: number, delayMs: number) {
    this.message = message;
    this.since = since;
    this.delayMs = delayMs;
  }
}

/**
 * One relay client as one object, which takes the place of a promise per phase: a load test has ten thousand of them, and
 * everything that a client is made of is memory that is touched, allocated, and collected for each.
 */
export class ClientMachine<Message extends string | number>
  implements Attempts, ConnectionReceiver<string>, FrameSink<string>, Deadline {
  /** The number by which its task knows it. */
  readonly number: number;
  /** Links of its list of deadlines. */
  due = 0;
  earlier: this | undefined = undefined;
  later: this | undefined = undefined;
  readonly #task: ClientTask<Message>;
  readonly #settings: ClientSettings;
  readonly #dial: Dial;
  readonly #attempts: Reconnect;
  /** The list of deadlines that it is in. */
  #deadlines: Deadlines | undefined = undefined;
  #request: ConnectRequest<string> | undefined = undefined;
  #connection: Connection | undefined = undefined;
  /** The first message that waits for its answer. */
  #held: Held<Message> | undefined = undefined;
  #lingering: Timer | undefined = undefined;
  #acknowledged = false;
  #refused = false;

  /** Creates a client that does not run yet. */
  constructor(number: number, dial: Dial, task: ClientTask<Message>, settings: ClientSettings) {
    this.number = number;
    this.#dial = dial;
    this.#task = task;
    this.#settings = settings;
    this.#attempts = new Reconnect(settings.reconnect);
  }

  /** Whether the ok for its message has come. */
  get acknowledged(): boolean {
    return this.#acknowledged;
  }

  /** Number of attempts begun. */
  get attempts(): number {
    return this.#attempts.count;
  }

  /** Begins to run, until it calls `over` of its task; once only. */
  begin(): void {
    this.#attempts.begin(this);
  }

  /** Gives up now: closes the connection, waits and dials no more. */
  stop(): void {
    this.#attempts.stop();
    this.#request?.cancel(stoppedError());
    this.#connection?.abort({ type: "local", why: "stopped" });
  }

  /** Whether no further attempt is needed: the ok has come, or the server does not let it in. */
  get done(): boolean {
    return this.#acknowledged || this.#refused;
  }

  /** Called for each attempt. */
  attempt(attempt: number): void {
    this.#task.dialing(this.number, attempt);
    const { connection, connecting } = this.#settings;
    this.#request = new ConnectRequest(this.#dial, connection, this);
    if (connecting.ms > 0) this.#watch(connecting);
    this.#request.begin();
  }

  /** Called when an attempt has failed. */
  notConnected(error: ConnectError): void {
    this.#task.notConnected(this.number, error);
  }

  /** Called when no attempt will follow. */
  over(error: ConnectError | undefined): void {
    this.#task.over(this.number, error);
  }

  /** Called when an attempt, or the report of one, threw. */
  broken(error: unknown): void {
    this.#task.failed(this.number, error);
  }

  /** Called when connecting, or waiting for the ok, takes too long. */
  late(): void {
    const { ms } = this.#deadlines!;
    this.#deadlines = undefined;
    if (this.#request !== undefined) this.#request.timeOut(ms);
    else this.#connection!.abort({ type: "timeout", which: "acknowledgment", ms });
  }

  /** Called when an attempt has failed or is canceled. */
  notOpened(reason: unknown): void {
    this.#request = undefined;
    this.#unwatch();
    if (reason instanceof ConnectError) this.#attempts.failed(reason);
    else this.#task.failed(this.number, reason);
  }

  /** Called when a connection is open. */
  opened(connection: Connection): void {
    this.#request = undefined;
    this.#unwatch();
    this.#connection = connection;
    const { number } = this;
    const task = this.#task;
    const { authLine, acknowledging } = this.#settings;
    try {
      task.connected(number, connection);
      if (authLine !== undefined) connection.send(authLine);
      connection.send(`message ${escapeText(task.textOf(number))}`);
      task.sent(number, connection);
      this.#watch(acknowledging);
      connection.feed(this);
    } catch (error) {
      task.failed(number, error);
    }
  }

  /** Called by the connection. */
  takeLine(line: Line): void {
    if (line.startsWith(MESSAGE)) this.#takeMessage(line);
    else if (line.startsWith(OK)) this.#takeOk(line);
    else this.#takeOther(line);
  }

  /** Called by the connection for lines that were read as strings, in a large read. */
  take(lines: readonly string[]): void {
    for (const line of lines) this.takeLine(Line.of(line));
  }

  /** Called by the connection. */
  ended(error?: unknown): void {
    this.#unwatch();
    this.#lingering?.cancel();
    this.#lingering = undefined;
    for (let held = this.#held; held !== undefined; held = held.next) held.timer!.cancel();
    this.#held = undefined;
    const connection = this.#connection!;
    if (error !== undefined && !(error instanceof FramingError)) return this.#task.failed(this.number, error);
    const why = error !== undefined
      ? { type: "framing" as const, error }
      : this.#acknowledged
      ? undefined
      : EARLY;
    // Does nothing if it is closing already.
    void connection.close(why).then((reason) => this.#closed(connection, reason));
  }

  #closed(connection: Connection, reason: CloseReason): void {
    this.#connection = undefined;
    try {
      this.#task.closed(this.number, connection, reason);
      this.#attempts.ended();
    } catch (error) {
      this.#task.failed(this.number, error);
    }
  }

  #watch(deadlines: Deadlines): void {
    this.#deadlines = deadlines;
    deadlines.add(this);
  }

  #unwatch(): void {
    this.#deadlines?.remove(this);
    this.#deadlines = undefined;
  }

  /** Returns the message at `start`, or `undefined` after a complaint. */
  #messageAt(line: Line, start: number): Message | undefined {
    try {
      return this.#task.messageAt(line, start);
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  #complain(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#task.complained(this.number, this.#connection!, error);
  }

  /** Answers a message after its delay. */
  #takeMessage(line: Line): void {
    const task = this.#task;
    const message = this.#messageAt(line, MESSAGE.length);
    if (message === undefined) return;
    task.received(this.number, this.#connection!, message);
    const { clock } = this.#settings.connection;
    const delayMs = task.delayOf(this.number, message);
    const held = new Held(message, clock.now(), delayMs);
    if (delayMs <= 0) return this.#answer(held);
    // The server gives it to another client when this one closes.
    if (this.#acknowledged && delayMs > this.#linger) return;
    const next = this.#held;
    held.next = next;
    if (next !== undefined) next.previous = held;
    this.#held = held;
    held.timer = clock.after(delayMs, () => {
      this.#drop(held);
      this.#answer(held);
      if (this.#acknowledged && this.#held === undefined) this.#finish();
    });
  }

  #drop({ next, previous }: Held<Message>): void {
    if (previous === undefined) this.#held = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
  }

  #answer(held: Held<Message>): void {
    const task = this.#task;
    const connection = this.#connection!;
    connection.send(`ok ${escapeText(task.textOfMessage(held.message))}`);
    task.answered(this.number, connection, held);
  }

  #takeOk(line: Line): void {
    const task = this.#task;
    const message = this.#messageAt(line, OK.length);
    if (message === undefined) return;
    const own = !this.#acknowledged && task.isOwn(this.number, message);
    task.acknowledged(this.number, this.#connection!, message, own);
    if (!own) return;
    this.#acknowledged = true;
    this.#unwatch();
    this.#stay();
  }

  #takeOther(line: Line): void {
    let frame;
    try {
      frame = decodeFrame(line.text());
    } catch (error) {
      return this.#complain(error);
    }
    if (frame.verb !== "error") {
      return this.#complain(new ProtocolError("unknown-verb", "Unexpected auth from the server"));
    }
    // Of the message that came after the wrong token it complains as well.
    if (this.#refused) return;
    this.#task.complained(this.number, this.#connection!, frame.text);
    if (this.#acknowledged || !isAuthRefusal(frame.text)) return;
    // The server wants another token, or any token: no other attempt would present one.
    this.#refused = true;
    this.#finish({ type: "unauthorized", why: frame.text });
  }

  /**
   * Lingers: messages that were left would have to go to other clients. More of them come in until then, so the limit is for
   * each answer; one for all of the lingering left every eleventh message to others in a run with delays.
   */
  #stay(): void {
    const { connection: { clock }, acknowledging } = this.#settings;
    const linger = this.#linger;
    const until = clock.now() + linger;
    for (let held = this.#held; held !== undefined; held = held.next) {
      if (held.since + held.delayMs <= until) continue;
      held.timer!.cancel();
      this.#drop(held);
    }
    if (this.#held === undefined) return this.#finish();
    this.#lingering = clock.after(Math.max(linger, acknowledging.ms), () => this.#finish());
  }

  get #linger(): number {
    return this.#settings.linger ?? this.#task.longestDelay;
  }

  /** Closes the connection, unless it is closing already. */
  #finish(why?: CloseReason): void {
    void this.#connection!.close(why);
  }
}

/** A relay client: sends, answers, closes on its own ok; times out, reconnects, sends again. @module */
import type { Line } from "../socket/codecs/line.ts";
import type { Connection } from "../socket/connection.ts";
import type { CloseReason, ConnectError } from "../socket/errors.ts";
import { type ProtocolError, unescapeText } from "../protocol.ts";
import { ClientMachine } from "./client_machine.ts";
import type {
  RelayClientObserver,
  RelayClientOptions,
  RelayClientResult,
  ReplyDelay,
} from "./client_options.ts";
import { ClientSettings } from "./client_settings.ts";
import type { ClientTask, HeldMessage } from "./client_task.ts";

const NO_DELAY: ReplyDelay = { draw: () => 0, longest: 0 };

/** One client. {@linkcode runRelayClient} makes and runs one. */
export class RelayClient {
  readonly #machine: ClientMachine<string>;
  readonly #task: TextTask;

  /**
   * Creates a client that does not run yet.
   *
   * @param settings The settings that it shares with others, instead of those in `options`.
   * @throws {RangeError} If the token cannot be one.
   */
  constructor(options: RelayClientOptions, settings: ClientSettings = new ClientSettings(options)) {
    const { hostname, port, network } = options;
    const dial = {
      ...settings.dial,
      ...(network === undefined ? {} : { network }),
      ...(hostname === undefined ? {} : { hostname }),
      port,
    };
    this.#task = new TextTask(options, settings);
    this.#machine = new ClientMachine(0, dial, this.#task, settings);
  }

  /** Whether the ok for its message has come. */
  get acknowledged(): boolean {
    return this.#machine.acknowledged;
  }

  /**
   * Sends until the ok has come and the connection is closed, or the attempts are used up, or the server does not let it in for
   * want of the right token, or it is stopped. Once only.
   */
  async run(): Promise<RelayClientResult> {
    const machine = this.#machine;
    machine.begin();
    const error = await this.#task.ended;
    return {
      acknowledged: machine.acknowledged,
      attempts: machine.attempts,
      closed: this.#task.reason,
      error,
    };
  }

  /** Gives up now: closes the connection, waits and dials no more. */
  stop(): void {
    this.#machine.stop();
  }
}

/** The task of a client that runs by itself: its messages are strings. */
class TextTask implements ClientTask<string> {
  readonly #text: string;
  readonly #replyDelay: ReplyDelay;
  readonly #observer: RelayClientObserver;
  readonly #settings: ClientSettings;
  readonly #over = Promise.withResolvers<ConnectError | undefined>();
  /** The reason for the end of its last connection. */
  reason: CloseReason | undefined;

  constructor({ text, replyDelay = NO_DELAY, observer = {} }: RelayClientOptions, settings: ClientSettings) {
    this.#text = text;
    this.#replyDelay = replyDelay;
    this.#observer = observer;
    this.#settings = settings;
  }

  /** Resolves when the client has ended, with the error of the last attempt, if it could not connect. */
  get ended(): Promise<ConnectError | undefined> {
    return this.#over.promise;
  }

  get longestDelay(): number {
    return this.#replyDelay.longest;
  }

  textOf(): string {
    return this.#text;
  }

  messageAt(line: Line, start: number): string {
    return unescapeText(line.text(start));
  }

  textOfMessage(message: string): string {
    return message;
  }

  isOwn(_: number, message: string): boolean {
    return message === this.#text;
  }

  delayOf(_: number, message: string): number {
    return this.#replyDelay.draw(message);
  }

  dialing(_: number, attempt: number): void {
    this.#observer.dialing?.(attempt);
  }

  connected(_: number, connection: Connection): void {
    this.#observer.connected?.(connection);
  }

  notConnected(_: number, error: ConnectError): void {
    this.#observer.notConnected?.(error);
  }

  sent(_: number, connection: Connection): void {
    this.#observer.sent?.(connection);
  }

  received(_: number, connection: Connection, message: string): void {
    this.#observer.received?.(connection, message);
  }

  answered(_: number, connection: Connection, { message, since, delayMs }: HeldMessage<string>): void {
    const heldMs = this.#settings.connection.clock.now() - since;
    this.#observer.answered?.(connection, message, { heldMs, delayMs });
  }

  acknowledged(_: number, connection: Connection, message: string, own: boolean): void {
    this.#observer.acknowledged?.(connection, message, own);
  }

  complained(_: number, connection: Connection, error: string | ProtocolError): void {
    this.#observer.complained?.(connection, error);
  }

  closed(_: number, connection: Connection, reason: CloseReason): void {
    this.reason = reason;
    this.#observer.closed?.(connection, reason);
  }

  over(_: number, error: ConnectError | undefined): void {
    this.#over.resolve(error);
  }

  failed(_: number, error: unknown): void {
    this.#over.reject(error);
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

/** The life of a relay client: send, answer, close on its own ok; time out, reconnect, send again. @module */
import { ConnectAttempt } from "../socket/connect.ts";
import type { CloseReason } from "../socket/errors.ts";
import { Reconnect, stoppedError } from "../socket/reconnect.ts";
import type { RelayClientOptions, RelayClientResult, ReplyDelay } from "./client_options.ts";
import { ClientSession, type ClientState } from "./client_session.ts";
import { ClientSettings } from "./client_settings.ts";

const NO_DELAY: ReplyDelay = { draw: () => 0, longest: 0 };

/** One client. {@linkcode runRelayClient} makes and runs one. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #settings: ClientSettings;
  readonly #state: ClientState;
  readonly #attempts: Reconnect;
  #dialing: ConnectAttempt<string> | undefined;
  #session: ClientSession | undefined;
  #closed: CloseReason | undefined;

  /**
   * Creates a client that does not run yet.
   *
   * @param settings The settings that it shares with others, instead of those in `options`.
   * @throws {RangeError} If the token cannot be one.
   */
  constructor(options: RelayClientOptions, settings: ClientSettings = new ClientSettings(options)) {
    const { text, replyDelay = NO_DELAY, observer = {} } = options;
    const { connection: { clock }, random, token, ackTimeout, backOff, maxAttempts, linger } = settings;
    this.#options = options;
    this.#settings = settings;
    this.#state = {
      text,
      token,
      clock,
      ackTimeout,
      replyDelay,
      linger: linger ?? replyDelay.longest,
      observer,
      acknowledged: false,
      refused: false,
    };
    this.#attempts = new Reconnect({ clock, random, backOff, most: maxAttempts, observer });
  }

  /** Whether the ok for its message has come. */
  get acknowledged(): boolean {
    return this.#state.acknowledged;
  }

  /**
   * Sends until the ok has come and the connection is closed, or the attempts are used up, or the server does not let it in for
   * want of the right token, or it is stopped. Once only.
   */
  run(): Promise<RelayClientResult> {
    const state = this.#state;
    const attempts = this.#attempts;
    // Not an async function, because its frame would stay in memory for as long as the client.
    return attempts.run(() => this.#attempt(), () => state.acknowledged || state.refused).then((error) => ({
      acknowledged: state.acknowledged,
      attempts: attempts.count,
      closed: this.#closed,
      error,
    }));
  }

  /** Gives up now: closes the connection, waits and dials no more. */
  stop(): void {
    this.#attempts.stop();
    this.#dialing?.cancel(stoppedError());
    this.#session?.connection.abort({ type: "local", why: "stopped" });
  }

  #attempt(): Promise<void> {
    const { hostname, port, network } = this.#options;
    const { dial, connection: settings } = this.#settings;
    const own = network === undefined ? dial : { ...dial, network };
    const target = hostname === undefined ? { ...own, port } : { ...own, hostname, port };
    this.#dialing = new ConnectAttempt(target, settings);
    return this.#dialing.opened.then((connection) => {
      this.#dialing = undefined;
      this.#session = new ClientSession(connection, this.#state);
      if (this.#attempts.stopped) this.stop(); // Since the connection opened.
      return this.#session.run();
    }).then((reason) => {
      this.#closed = reason;
    });
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

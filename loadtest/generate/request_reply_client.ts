/** A client that sends one request until it has the reply, as a relay client does with its message. @module */
import { Reconnect, stoppedError } from "../../socket/reconnect.ts";
import type { BackOff } from "../../internal/back_off.ts";
import { ConnectAttempt } from "../../socket/connect.ts";
import type { ConnectionLimits } from "../../socket/connection/options.ts";
import { ConnectionSettings } from "../../socket/connection/settings.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, type ConnectError, FramingError } from "../../socket/errors.ts";
import type { Network } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import { type ReplyResult, type RequestReply, SERVER_CLOSED_EARLY } from "./request_reply.ts";

/** Observes a client, with the callbacks of a relay observer. Must not throw. */
export interface RequestReplyObserver<Frame> {
  dialing(attempt: number): void;
  connected(connection: Connection<Frame>): void;
  notConnected(error: ConnectError): void;
  sent(connection: Connection<Frame>): void;
  acknowledged(connection: Connection<Frame>, text: string, own: boolean): void;
  /** The server sent an error line. */
  complained(connection: Connection<Frame>, error: string): void;
  closed(connection: Connection<Frame>, reason: CloseReason): void;
}

/** Options for {@linkcode RequestReplyClient}. */
export interface RequestReplyClientOptions<Frame> {
  readonly hostname: string;
  readonly port: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly requestReply: RequestReply<Frame>;
  /** The message that the reply acknowledges. */
  readonly text: string;
  /** Longest time until it is connected, and then until the reply is complete, in ms. */
  readonly timeout: number;
  /** Limits of the connection. */
  readonly limits: ConnectionLimits;
  readonly backOff?: BackOff;
  readonly observer: RequestReplyObserver<Frame>;
}

/** One client. */
export class RequestReplyClient<Frame> {
  readonly #options: RequestReplyClientOptions<Frame>;
  readonly #attempts: Reconnect;
  #dialing: ConnectAttempt<Frame> | undefined;
  #connection: Connection<Frame> | undefined;
  #answered = false;

  constructor(options: RequestReplyClientOptions<Frame>) {
    this.#options = options;
    const { clock, random, backOff } = options;
    this.#attempts = new Reconnect({ clock, random, backOff });
  }

  /** Sends the request until the reply is complete and the connection closed, or it is stopped. Once only. */
  async run(): Promise<void> {
    const { observer } = this.#options;
    await this.#attempts.run(() => this.#attempt(), () => this.#answered, observer);
  }

  /** Stops immediately. */
  stop(): void {
    this.#attempts.stop();
    this.#dialing?.cancel(stoppedError());
    this.#connection?.abort({ type: "local", why: "stopped" });
  }

  async #attempt(): Promise<void> {
    const { requestReply, clock, timeout: ms, observer } = this.#options;
    const { codec, request } = requestReply;
    const { limits } = this.#options;
    const dialing = new ConnectAttempt<Frame>(
      { ...this.#options, timeouts: { connect: ms } },
      new ConnectionSettings({ codec, clock, limits }),
    );
    this.#dialing = dialing;
    const connection = await dialing.opened;
    this.#connection = connection;
    observer.connected(connection);
    if (this.#attempts.stopped) { // Since the connection opened.
      this.stop();
      return observer.closed(connection, await connection.closed);
    }
    connection.send(request);
    observer.sent(connection);
    const late: CloseReason = { type: "timeout", which: "acknowledgment", ms };
    const timer = clock.after(ms, () => connection.abort(late));
    let ending: Promise<CloseReason> | undefined;
    const take = (answered: ReplyResult | undefined): void => {
      if (answered === undefined) return;
      if ("complaint" in answered) return observer.complained(connection, answered.complaint);
      if ("error" in answered) {
        ending ??= connection.close({ type: "local", why: answered.error });
        return;
      }
      const own = answered.text === this.#options.text && !this.#answered;
      observer.acknowledged(connection, answered.text, own);
      if (!own) return;
      this.#answered = true;
      timer.cancel();
      ending = connection.close();
    };
    const answer = requestReply.readReply();
    try {
      for await (const frames of connection.batches()) for (const frame of frames) take(answer.push(frame));
      take(answer.end());
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      ending ??= connection.close({ type: "framing", error });
    } finally {
      timer.cancel();
    }
    ending ??= connection.close({ type: "local", why: SERVER_CLOSED_EARLY });
    observer.closed(connection, await ending);
  }
}

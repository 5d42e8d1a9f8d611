/** A client that asks one question until it has its answer: the life of a relay's client, without the relay. @module */
import { Reconnect } from "../../socket/reconnect.ts";
import type { BackOff } from "../../internal/back_off.ts";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, type ConnectError, FramingError } from "../../socket/errors.ts";
import type { Network } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import type { ReplyResult, RequestReply } from "./request_reply.ts";

/** Sees what an exchange client does, by the names that the relay's has for it. Must not throw. */
export interface RequestReplyObserver<Frame> {
  dialling(attempt: number): void;
  connected(connection: Connection<Frame>): void;
  notConnected(error: ConnectError): void;
  sent(connection: Connection<Frame>): void;
  acknowledged(connection: Connection<Frame>, text: string, own: boolean): void;
  /** The server said in a line of its own what is wrong. */
  complained(connection: Connection<Frame>, error: string): void;
  closed(connection: Connection<Frame>, reason: CloseReason): void;
}

/** Whom to ask what. */
export interface RequestReplyClientOptions<Frame> {
  readonly hostname: string;
  readonly port: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly requestReply: RequestReply<Frame>;
  /** The text of the message that the answer is to be for. */
  readonly text: string;
  /** Longest time in ms until a connection stands, and then until the answer is there. */
  readonly timeout: number;
  /** Most bytes that wait to be written. */
  readonly writeBuffer: number;
  readonly backOff?: BackOff;
  readonly observer: RequestReplyObserver<Frame>;
}

/** One client. */
export class RequestReplyClient<Frame> {
  readonly #options: RequestReplyClientOptions<Frame>;
  readonly #attempts: Reconnect;
  #connection: Connection<Frame> | undefined;
  #answered = false;

  constructor(options: RequestReplyClientOptions<Frame>) {
    this.#options = options;
    const { clock, random, backOff, observer } = options;
    this.#attempts = new Reconnect({ clock, random, backOff, observer });
  }

  /** Asks until the answer has come and the connection is closed, or it is stopped. Once only. */
  async run(): Promise<void> {
    await this.#attempts.run(() => this.#attempt(), () => this.#answered);
  }

  /** Gives up now. */
  stop(): void {
    this.#attempts.stop();
    this.#connection?.abort({ type: "local", why: "stopped" });
  }

  async #attempt(): Promise<void> {
    const { requestReply, clock, timeout: ms, observer } = this.#options;
    const { codec, request } = requestReply;
    const connection = await connect<Frame>({ ...this.#options, codec, signal: this.#attempts.signal });
    this.#connection = connection;
    observer.connected(connection);
    connection.send(request);
    observer.sent(connection);
    const late: CloseReason = { type: "timeout", which: "acknowledgement", ms };
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
    ending ??= connection.close({ type: "local", why: "the server ended before the answer" });
    observer.closed(connection, await ending);
  }
}

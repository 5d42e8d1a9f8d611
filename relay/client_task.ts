/** The task of a relay client: its message, its answers, and its reports. Pure. @module */
import type { ProtocolError } from "../protocol.ts";
import type { Line } from "../socket/codecs/line.ts";
import type { Connection } from "../socket/connection.ts";
import type { CloseReason, ConnectError } from "../socket/errors.ts";

/** Why a connection ended that the server ended first. */
export const SERVER_ENDED_EARLY = "the server ended before the ok";

/**
 * The task of one relay client, or of many: a load test has one for all, which identifies them by their numbers. The task
 * decides how messages are represented. A load test uses the numbers of its plan, so that most messages never become
 * strings. Must not throw, except where it is said.
 */
export interface ClientTask<Message> {
  /** The longest delay that `delayOf` returns, in ms. */
  readonly longestDelay: number;
  /** Returns the text of the message that a client sends. */
  textOf(client: number): string;
  /**
   * Returns the message whose text, in relay notation, begins at byte `start` of a line.
   *
   * @throws {ProtocolError} If the notation is not valid.
   */
  messageAt(line: Line, start: number): Message;
  /** Returns the text of a message. */
  textOfMessage(message: Message): string;
  /** Whether a message is the one that a client sends. */
  isOwn(client: number, message: Message): boolean;
  /** Returns how long a client holds a message before it answers, in ms. */
  delayOf(client: number, message: Message): number;

  /** An attempt begins; `attempt` counts from 1. */
  dialing(client: number, attempt: number): void;
  /** A connection is open. */
  connected(client: number, connection: Connection): void;
  /** Connecting failed. */
  notConnected(client: number, error: ConnectError): void;
  /** The message was queued for the server. */
  sent(client: number, connection: Connection): void;
  /** A message arrived. */
  received(client: number, connection: Connection, message: Message): void;
  /** A message that arrived at `since` was answered; its delay was `delayMs`. */
  answered(client: number, connection: Connection, answer: HeldMessage<Message>): void;
  /** An ok arrived. `own` is true for the first ok for the message of the client. */
  acknowledged(client: number, connection: Connection, message: Message, own: boolean): void;
  /** The server reported an error, or sent an invalid line. */
  complained(client: number, connection: Connection, error: string | ProtocolError): void;
  /** A connection has closed. */
  closed(client: number, connection: Connection, reason: CloseReason): void;
  /** The client has ended. `error` is that of the last attempt, if it could not connect. */
  over(client: number, error: ConnectError | undefined): void;
  /** The client cannot go on: something threw that must not. */
  failed(client: number, error: unknown): void;
}

/** A message that a client has received. */
export interface HeldMessage<Message> {
  readonly message: Message;
  /** When it arrived, in ms on the clock. */
  readonly since: number;
  /** Time for which the client holds it, in ms. */
  readonly delayMs: number;
}

/** The calls that report what clients do. @module */
import type { Address } from "../../socket/network.ts";
import type { EndType, GeneratorLimit, MessageName } from "../history/events.ts";

/**
 * Takes what clients do: the same as the client events of a history, but without an object for each. Clients are numbers,
 * and times are in ms from the beginning of the run. The calls for one client must come in order.
 */
export interface ClientRecord {
  /** A client was planned, to start at `at`. */
  planned(client: number, at: number): void;
  /** A client started. `due` is when it was due, if a change of the pace moved that. */
  started(client: number, at: number, due?: number): void;
  /** A client is connected, which took `took` ms, from one address to another. */
  connected(
    client: number,
    at: number,
    took: number,
    local: Address | string,
    remote: Address | string,
  ): void;
  /** A client could not connect. `limit` is the limit of the generator that caused it, if one did. */
  refused(client: number, at: number, error: string, limit?: GeneratorLimit): void;
  /** The server answered with an error, or an invalid frame. */
  complained(client: number, at: number, text: string): void;
  /** A client sent its message. */
  sent(client: number, at: number): void;
  /** A client received a message. */
  received(client: number, at: number, message: MessageName): void;
  /** A client answered a message that it had received. */
  answered(client: number, at: number, message: MessageName): void;
  /** A client received an ok. */
  acknowledged(client: number, at: number, message: MessageName): void;
  /** The connection of a client ended. */
  closed(client: number, at: number, reason: EndType, detail?: string): void;
}

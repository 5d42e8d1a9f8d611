/** State shared by the sessions of one process: their time, their steps, and the owners of replies. @module */
import type { Clock } from "../../../internal/clock.ts";
import { type Ask, belongs } from "./pending_asks.ts";
import { StepNames } from "../step_name.ts";

/** A session, as far as others look at it. */
export interface HubSession<Frame> {
  readonly client: number;
  /** The pending request that a reply belongs to beyond doubt. */
  expecting(reply: Frame): Ask<Frame> | undefined;
}

/** A request, and the client that sent it. */
export interface RequestOwner<Frame> {
  readonly client: number;
  readonly ask: Ask<Frame>;
}

/**
 * Most searches for the owner of a reply, because each scans all requests in flight. A swapped reply beyond them counts as
 * wrong.
 */
const MOST_SEARCHES = 200;

/** The sessions of one process, in order to recognize a reply that was meant for another session. */
export class SessionHub<Frame> {
  readonly steps = new StepNames();
  readonly #clock: Clock;
  readonly #begin: number;
  /** The time of this turn of the event loop; `undefined` until it is read. */
  #turnTime: number | undefined;
  /** Turns in which the time was read. */
  #turns = 0;
  readonly #open = new Set<HubSession<Frame>>();
  /** The last requests that got another reply, with their clients: a server that swaps two replies is seen twice. */
  readonly #wronglyAnswered: RequestOwner<Frame>[] = [];
  #searches = MOST_SEARCHES;

  /** @param begin The time on the clock at which the run started. */
  constructor(clock: Clock, begin: number) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /**
   * ms since the run started, the same for all requests of one turn of the event loop: a look at the clock costs a tenth
   * of a request. A request counts as sent when its turn began, so that its latency is never too short.
   */
  turnTime(): number {
    if (this.#turnTime !== undefined) return this.#turnTime;
    this.#clock.soon(this.#endTurn);
    return this.#turnTime = this.now();
  }

  /** The number of this turn of the event loop. */
  get turn(): number {
    this.turnTime(); // Notices its end.
    return this.#turns;
  }

  /** ms since the run started. Later requests of this turn count as sent now. */
  now(): number {
    const now = this.#clock.now() - this.#begin;
    if (this.#turnTime !== undefined) this.#turnTime = now;
    return now;
  }

  readonly #endTurn = (): void => {
    this.#turnTime = undefined;
    this.#turns++;
  };

  add(session: HubSession<Frame>): void {
    this.#open.add(session);
  }

  delete(session: HubSession<Frame>): void {
    this.#open.delete(session);
  }

  /** Returns the request of another session that this reply is for. */
  ownerOf(reply: Frame, of: HubSession<Frame>): RequestOwner<Frame> | undefined {
    if (this.#searches-- <= 0) return undefined;
    for (const session of this.#open) {
      const ask = session === of ? undefined : session.expecting(reply);
      if (ask !== undefined) return { client: session.client, ask };
    }
    return this.#wronglyAnswered.find(({ client, ask }) => client !== of.client && belongs(ask, reply));
  }

  /** Remembers a request whose reply may be at another session, or yet arrive there. */
  gotAnotherReply(client: number, ask: Ask<Frame>): void {
    this.#wronglyAnswered.push({ client, ask });
    if (this.#wronglyAnswered.length > 100) this.#wronglyAnswered.shift();
  }
}

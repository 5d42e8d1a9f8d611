/** The messages of a closed model: a client starts one when its last one is over. @module */
import type { Pace } from "../../pace/pace.ts";
import type { LoadShape } from "../load_shape.ts";
import type { Scenario } from "../scenario.ts";
import { Context, type ContextFacts } from "./context.ts";

/** The part of a session that its messages use. */
export interface MessageOptions {
  readonly facts: ContextFacts<unknown, unknown>;
  /** Has the code of a message. */
  readonly scenario: Scenario;
  readonly load: LoadShape;
  /** Receives what a message throws. */
  readonly onError: (error: unknown) => void;
}

/** Options for {@linkcode sendInTurn}. */
export interface ClosedMessageOptions extends MessageOptions {
  readonly pace: Pace;
  /** When the first message was due, in ms from the start of the run; `Infinity` for as soon as it is sent. */
  readonly firstDue: number;
  /** Resolves when the run is over. */
  readonly over: Promise<void>;
}

/**
 * Sends messages one after the other, with up to `inFlight` at a time.
 *
 * @returns Whether all were sent; otherwise, the connection has ended.
 */
export async function sendInTurn(options: ClosedMessageOptions): Promise<boolean> {
  const { facts, scenario, load, pace, firstDue, over, onError } = options;
  const { core } = facts;
  const { inFlight = 1, think = 0, duration } = load;
  let left = load.messages ?? (duration === undefined ? 1 : Infinity);
  const inTime = (): boolean => duration === undefined || pace.planTime(core.now()) < duration;
  const goesOn = (): boolean => left > 0 && !core.ended && inTime();
  const lane = async (due: number): Promise<void> => {
    while (goesOn()) {
      if (pace.paused) {
        await Promise.race([pace.resumed, over]);
        due = Infinity; // The pause is not a part of the latency.
        continue;
      }
      left--;
      try {
        await scenario.message?.(new Context(facts, due));
      } catch (error) {
        onError(error);
      }
      const waiting = core.mustWait();
      if (waiting !== undefined) await waiting;
      due = think > 0 && goesOn() ? await core.think(think) : Infinity;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, () => lane(firstDue)));
  return left === 0 || !inTime();
}

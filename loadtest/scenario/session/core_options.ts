/** Options of a session's requests and replies. @module */
import type { Clock } from "../../../internal/clock.ts";
import type { ScenarioEvent } from "../events.ts";
import type { Expectation, IndexedExpectation } from "../expectation.ts";
import type { CorrelationKey } from "./batch.ts";
import type { SessionHub } from "./hub.ts";

/** Options for {@linkcode SessionCore}. */
export interface SessionCoreOptions<Frame> {
  readonly client: number;
  readonly clock: Clock;
  readonly hub: SessionHub<Frame>;
  readonly record: (event: ScenarioEvent) => void;
  /** Default timeout of a request, in ms. */
  readonly timeout: number;
  readonly correlate?: ((frame: Frame) => CorrelationKey | undefined) | undefined;
  /** Receives the time from due to reply, in ms, of requests that were answered as expected, and their number. */
  readonly onAnswered: (ms: number, count: number) => void;
  /** Receives what a handler of `on` throws. */
  readonly onError: (error: unknown) => void;
}

/** Options of requests. `timeout` is in ms. */
export interface RequestOptions<Frame> {
  readonly expect?: IndexedExpectation<Frame>;
  readonly expectEach?: readonly (Expectation<Frame> | undefined)[];
  readonly timeout?: number;
  readonly name?: string;
}

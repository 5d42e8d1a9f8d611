/** Texts of findings about requests without their reply. Pure. @module */
import { describeExpectation, describeFrame, type IndexedExpectation } from "../expectation.ts";
import type { RequestOwner } from "./hub.ts";
import type { Ask } from "./pending_asks.ts";

/** Why a connection ended that the server closed. */
export const CLOSED_BY_SERVER = "closed by the server";

/** States of a session that waits for no reply. */
export const THINKING = "in a think time";
export const IN_OWN_CODE = "in its own code";

/** The end of the text of a request whose connection the server, or the network, ended first. */
const CUT = new RegExp(
  `(?:before|because) the connection (?:had )?ended \\((?:${CLOSED_BY_SERVER}|(?:reset|write-failed): .*)\\)$`,
);

/** Returns whether a request has no reply because the server, or the network, ended the connection. */
export function isCutOff(detail: string | undefined): boolean {
  return detail !== undefined && CUT.test(detail);
}

/** A frame could not be sent. */
export function notSent(frame: unknown, ended: string): string {
  return `${describeFrame(frame)} was not sent, because the connection had ended (${ended})`;
}

/** A request timed out. */
export function noReplyInTime(
  { frame, batch: { deadline, sent } }: {
    readonly frame: unknown;
    readonly batch: { readonly deadline: number; readonly sent: number };
  },
): string {
  return `no reply to ${describeFrame(frame)} within ${Math.round(deadline - sent)} ms`;
}

/** The connection ended first. */
export function endedBefore({ frame }: Pick<Ask<unknown>, "frame">, why: string): string {
  return `no reply to ${describeFrame(frame)} before the connection ended (${why})`;
}

/** The connection ended in the middle of the reply. */
export function endedInside({ frame }: Pick<Ask<unknown>, "frame">, why: string): string {
  return `the connection ended inside the reply to ${describeFrame(frame)} (${why})`;
}

/** Another reply arrived; `outcome` is what a predicate threw. */
export function gotInstead<Frame>(
  expected: IndexedExpectation<Frame> | undefined,
  reply: Frame,
  outcome: boolean | string,
): string {
  const thrown = typeof outcome === "string" ? `: ${outcome}` : "";
  return `expected ${describeExpectation(expected)}, got ${describeFrame(reply)}${thrown}`;
}

/** A frame that no pending request is for: `late` is the request that timed out before, `owner` that of another session. */
export function strayFrame<Frame>(
  frame: Frame,
  late: Pick<Ask<Frame>, "number" | "step"> | undefined,
  owner: RequestOwner<Frame> | undefined,
): string {
  const shown = describeFrame(frame);
  if (late !== undefined) {
    return `${shown}, the reply to request ${late.number} (${late.step}), which had timed out`;
  }
  return owner === undefined ? shown : `${shown}, ${describeOwner(owner)}`;
}

/** Describes a reply by its request: `the reply to request 3 (GET) of client 7`. */
export function describeOwner<Frame>({ client, ask }: RequestOwner<Frame>): string {
  return `the reply to request ${ask.number} (${ask.step}) of client ${client}`;
}

/** The error for a frame of a batch that could not be sent, after those before it were. */
export function refusedFrame(index: number, size: number, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const text = `Cannot send the frame at index ${index} of ${size}: ${why}`;
  return cause instanceof RangeError ? new RangeError(text, { cause }) : new TypeError(text, { cause });
}

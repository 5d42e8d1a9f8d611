/** Expected replies of a session, and descriptions of replies that differ. Pure. @module */
import { printable, quoted } from "../../internal/printable.ts";
import { messageOf } from "./errors.ts";

/**
 * The expected reply: a frame that it must equal, a pattern for a text frame, or a predicate. A predicate may also
 * throw, as an assertion does; its message then describes what is wrong.
 */
export type Expectation<Frame> = Frame | RegExp | ((reply: Frame) => boolean | void);

/** An expectation for many replies, whose function also gets the index of the reply. */
export type IndexedExpectation<Frame> =
  | Expectation<Frame>
  | ((reply: Frame, index: number) => boolean | void);

/** Most UTF-16 units of a frame that a finding shows. */
const SHOWN = 80;

/**
 * Whether `reply` is as expected; the message of a predicate that threw, or why the two cannot be compared. `index` is its
 * place in a batch.
 */
export function matches<Frame>(
  expected: IndexedExpectation<Frame> | undefined,
  reply: Frame,
  index = 0,
): boolean | string {
  if (expected === reply || expected === undefined) return true;
  if (expected instanceof RegExp) return typeof reply === "string" && reply.search(expected) >= 0;
  try {
    if (typeof expected !== "function") return typeof reply === "object" && equalInDepth(expected, reply);
    const outcome: unknown = (expected as (reply: Frame, index: number) => unknown)(reply, index);
    if (outcome === undefined || typeof outcome === "boolean") return outcome !== false;
    // A promise cannot be awaited here, and must not end the process.
    if (outcome instanceof Promise) outcome.catch(() => {});
    return `${RETURNED}${describeOutcome(outcome)}, expected true or false`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Begins the message of {@linkcode matches} about a predicate that returned something else than it must. */
export const RETURNED = "the function returned ";

function describeOutcome(outcome: unknown): string {
  if (outcome instanceof Promise) return "a promise";
  if (outcome === null || typeof outcome === "number") return String(outcome);
  if (typeof outcome === "string") return quoted(outcome);
  return Array.isArray(outcome) ? "an array" : typeof outcome === "object" ? "an object" : typeof outcome;
}

/** Whether `expected` names one frame, so that an equal frame identifies its request. */
export function isExact<Frame>(expected: IndexedExpectation<Frame> | undefined): boolean {
  return expected !== undefined && !(expected instanceof RegExp) && typeof expected !== "function";
}

/** Whether `reply` is only the start of the frame that was expected. */
export function isTruncated<Frame>(expected: IndexedExpectation<Frame> | undefined, reply: Frame): boolean {
  if (typeof expected === "string" && typeof reply === "string") {
    return reply.length < expected.length && expected.startsWith(reply);
  }
  if (expected instanceof Uint8Array && reply instanceof Uint8Array) {
    return reply.length < expected.length && reply.every((byte, index) => expected[index] === byte);
  }
  return false;
}

/**
 * Whether two frames have the same content: bytes, arrays, maps, and plain objects are compared in depth. Frames of a user's
 * codec that cannot be compared, because they contain themselves or a getter throws, are not equal; the finding of
 * {@linkcode matches} says why.
 */
export function equal(one: unknown, other: unknown): boolean {
  try {
    return equalInDepth(one, other);
  } catch {
    return false;
  }
}

function equalInDepth(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (one instanceof Uint8Array || Array.isArray(one)) {
    if (!(other instanceof Uint8Array || Array.isArray(other)) || one.length !== other.length) return false;
    for (let index = 0; index < one.length; index++) {
      if (!equalInDepth(one[index], other[index])) return false;
    }
    return Array.isArray(one) === Array.isArray(other);
  }
  if (one instanceof Map) return other instanceof Map && equalInDepth([...one], [...other]);
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && !Array.isArray(other) &&
    names.every((name) =>
      Object.hasOwn(other, name) && equalInDepth(Reflect.get(one, name), Reflect.get(other, name))
    );
}

/** A frame as a finding shows it: on one line, and not too long. */
export function describeFrame(frame: unknown): string {
  if (typeof frame === "string") return quoted(frame);
  if (frame instanceof Uint8Array) {
    const hex = Array.from(frame.subarray(0, SHOWN / 4), (byte) => byte.toString(16).padStart(2, "0")).join(
      " ",
    );
    return `${frame.length} bytes ${hex}${frame.length > SHOWN / 4 ? " …" : ""}`;
  }
  if (frame instanceof Error) return printable(`${frame.name}: ${frame.message}`, SHOWN);
  try {
    const json = JSON.stringify(frame, (_, value: unknown) => typeof value === "bigint" ? `${value}` : value);
    return printable(json ?? "nothing", SHOWN);
  } catch {
    return "a frame that cannot be shown"; // Its codec may make frames of any kind, also circular ones.
  }
}

/** An expectation as a finding shows it. */
export function describeExpectation<Frame>(expected: IndexedExpectation<Frame> | undefined): string {
  if (expected === undefined) return "any reply";
  if (expected instanceof RegExp) return String(expected);
  if (typeof expected === "function") return printable(`${expected}`.replaceAll(/\s+/g, " "), SHOWN);
  return describeFrame(expected);
}

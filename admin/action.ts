/** Actions of the admin server, and their parameters. Pure. @module */
import { quoted } from "../internal/printable.ts";
import type { ActionResult, AdminAction } from "./target.ts";

/** Makes an action that answers status 400 when `run` throws a {@linkcode RangeError}: a parameter cannot be used. */
export function action(run: AdminAction): AdminAction {
  return async (query) => {
    try {
      return await run(query);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { status: 400, body: { error: error.message } };
    }
  };
}

/** Makes an action that has no parameters. */
export function plainAction(run: () => ActionResult | Promise<ActionResult>): AdminAction {
  return action((query) => {
    checkNames(query, []);
    return run();
  });
}

/**
 * Checks that a query has only known parameters, each once. A parameter that is misspelled must not go unnoticed.
 *
 * @throws {RangeError} If it does not.
 */
export function checkNames(query: URLSearchParams, names: readonly string[]): void {
  for (const name of new Set(query.keys())) {
    if (!names.includes(name)) {
      const expected = names.length === 0 ? "expected none" : `expected ${names.join(", ")}`;
      throw new RangeError(`Cannot use parameter ${quoted(name)}: ${expected}`);
    }
    if (query.getAll(name).length > 1) throw new RangeError(`Cannot use ${name} twice`);
  }
}

/**
 * Parses a parameter that is 0 or 1. Default 0.
 *
 * @throws {RangeError} If it is something else.
 */
export function parseFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? "0";
  if (text === "0" || text === "1") return text === "1";
  throw new RangeError(`Cannot use ${name} ${quoted(text)}: expected 0 or 1`);
}

/**
 * Parses an integer without a sign or leading zeros: each integer has one notation.
 *
 * @throws {RangeError} If the text is something else, or the integer is out of range.
 *
 * @example
 * ```ts
 * import { parseInteger } from "./action.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseInteger("7", "id", { min: 0, max: 9 }), 7);
 * assertThrows(() => parseInteger("007", "id", { min: 0, max: 9 }), RangeError, 'Cannot use id "007"');
 * ```
 */
export function parseInteger(
  text: string,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new RangeError(`Cannot use ${name} ${quoted(text)}: expected an integer from ${min} to ${max}`);
}

/** The largest id of a connection. */
export const MAX_ID = Number.MAX_SAFE_INTEGER;

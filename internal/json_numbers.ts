/** JSON whose numbers stay exact, where a JavaScript number would round them. Pure. @module */

/** The part of JSON.parse source text access (ECMAScript 2026) that the type library lacks. */
interface SourceAccess {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const sourceAccess = JSON as unknown as SourceAccess;

/**
 * Parses JSON, with each number converted from its text.
 *
 * @throws {SyntaxError} If the text is not JSON; and what `convert` throws.
 */
export function parseNumbers(text: string, convert: (source: string) => unknown): unknown {
  return sourceAccess.parse(
    text,
    (_, value, { source }) => typeof value === "number" ? convert(source) : value,
  );
}

/** Returns a value that `JSON.stringify` writes as this text, which must be a JSON number. */
export function rawNumber(source: string): unknown {
  return sourceAccess.rawJSON(source);
}

/** Paths in requests. Pure. @module */

/** Error thrown for a path that is never served, whether or not it exists. */
export class PathError extends Error {
  override readonly name = "PathError";
}

/** Prefix of names that clients can neither see nor use. */
export const PARTIAL_PREFIX = ".okline-partial";

/** Name of the folder, in each directory, with the partial files of uploads. */
export const PARTIALS: string = `${PARTIAL_PREFIX}s`;

/** Maximum size of a name in bytes, as in most file systems. */
const MAX_NAME = 255;
/** Maximum depth of a path, which limits the cost of a request. */
const MAX_DEPTH = 64;
const LAST_ASCII_CONTROL = 0x1f;
const DELETE = 0x7f;

/**
 * Parses a path of a request: names separated by `/`, percent-encoded (as UTF-8) if they contain a space or `%`. The path
 * is decoded once before it is checked, so `%2e%2e` is `..`, and refused.
 *
 * @returns The names from the root down; an empty array for `.`, the root itself.
 * @throws {PathError} If it is absolute, or contains `..`, `.`, an empty name, a backslash, a control character, an invalid
 * escape, or a reserved name.
 */
export function parsePath(encoded: string): readonly string[] {
  if (encoded === ".") return [];
  const path = decode(encoded);
  if (path.startsWith("/")) throw new PathError("Path is absolute, expected one relative to the root");
  const names = path.split("/");
  if (names.length > MAX_DEPTH) throw new PathError(`Path has more than ${MAX_DEPTH} names`);
  for (const name of names) refuseName(name);
  return names;
}

/** Formats a path as one word, which {@linkcode parsePath} parses. */
export function formatPath(names: readonly string[]): string {
  return names.length === 0 ? "." : names.map((name) => encodeURIComponent(name)).join("/");
}

/** Whether {@linkcode parsePath} accepts a name. */
export function isServedName(name: string): boolean {
  try {
    refuseName(name);
    return true;
  } catch {
    return false;
  }
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new PathError("Path contains an invalid escape, expected %XX of UTF-8");
  }
}

function refuseName(name: string): void {
  if (name === "") throw new PathError("Path contains an empty name");
  if (name === "." || name === "..") throw new PathError(`Path contains ${name}`);
  // On Windows, a backslash separates names.
  if (name.includes("\\")) throw new PathError("Path contains a backslash");
  if ([...name].some(isControl)) throw new PathError("Path contains a control character");
  if (new TextEncoder().encode(name).length > MAX_NAME) {
    throw new PathError(`Path contains a name of more than ${MAX_NAME} bytes`);
  }
  if (name.startsWith(PARTIAL_PREFIX)) {
    throw new PathError(`Path contains a reserved name: ${PARTIAL_PREFIX}…`);
  }
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code <= LAST_ASCII_CONTROL || code === DELETE;
}

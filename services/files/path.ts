/** Paths as clients write them. Pure. @module */

/** A path that is refused, whatever lies behind it. */
export class PathError extends Error {
  override readonly name = "PathError";
}

/** Clients never see nor reach names that start like this. */
export const PARTIAL_PREFIX = ".okline-partial";

/** The folder, in each directory, of uploads that have not finished. */
export const PARTIALS: string = `${PARTIAL_PREFIX}s`;

/** What file systems take for one name, in bytes. */
const MAX_NAME = 255;
/** Directories in a path: so that a path cannot be a bill. */
const MAX_DEPTH = 64;
const LAST_ASCII_CONTROL = 0x1f;
const DELETE = 0x7f;

/**
 * Reads a path of a request: names separated by `/`, in percent-encoding (of UTF-8) where a name has a space or `%`.
 * It is decoded once, and what it says then counts: `%2e%2e` is `..`, and refused as that is.
 *
 * @returns The names from the root down; none for `.`, the root itself.
 * @throws {PathError} If it is absolute, has `..`, `.` or an empty name in it, a backslash, a NUL or another control
 * character, a bad escape, or a reserved name.
 */
export function parsePath(encoded: string): readonly string[] {
  if (encoded === ".") return [];
  const path = decode(encoded);
  if (path.startsWith("/")) throw new PathError("Path is absolute: it starts at the root by itself");
  const names = path.split("/");
  if (names.length > MAX_DEPTH) throw new PathError(`Path has over ${MAX_DEPTH} names`);
  for (const name of names) refuseName(name);
  return names;
}

/** Writes a name or path so that it is one word, and {@linkcode parsePath} reads it back. */
export function formatPath(names: readonly string[]): string {
  return names.length === 0 ? "." : names.map((name) => encodeURIComponent(name)).join("/");
}

/** Whether {@linkcode parsePath} lets a name through. */
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
    throw new PathError("Path has an escape that is not %XX of UTF-8");
  }
}

function refuseName(name: string): void {
  if (name === "") throw new PathError("Path has an empty name in it");
  if (name === "." || name === "..") throw new PathError(`Path has ${name} in it`);
  // On this system a name like any other; on another one a separator, and the same tree may be served there.
  if (name.includes("\\")) throw new PathError("Path has a backslash in it");
  if ([...name].some(isControl)) throw new PathError("Path has a control character in it");
  if (new TextEncoder().encode(name).length > MAX_NAME) {
    throw new PathError(`Path has a name of over ${MAX_NAME} bytes`);
  }
  if (name.startsWith(PARTIAL_PREFIX)) {
    throw new PathError(`Path has a reserved name in it: ${PARTIAL_PREFIX}…`);
  }
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code <= LAST_ASCII_CONTROL || code === DELETE;
}

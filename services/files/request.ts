/** Requests of the files service. Pure. @module */
import { parsePath, PathError } from "./path.ts";

/** A request. Its path is an array of names from the root down. */
export type FilesRequest =
  | { readonly type: "list"; readonly path: readonly string[] }
  | { readonly type: "get"; readonly path: readonly string[]; readonly offset: number }
  | { readonly type: "put"; readonly path: readonly string[]; readonly size: number; readonly offset: number }
  | { readonly type: "delete"; readonly path: readonly string[] }
  | { readonly type: "stat"; readonly path: readonly string[] }
  | { readonly type: "quit" };

/** Error thrown for a line that is not a valid request. */
export class RequestError extends Error {
  override readonly name = "RequestError";
}

const USAGE = {
  LIST: "LIST [DIRECTORY]",
  GET: "GET PATH [OFFSET]",
  PUT: "PUT PATH SIZE [OFFSET]",
  DELETE: "DELETE PATH",
  STAT: "STAT PATH",
  QUIT: "QUIT",
} as const;

/** Minimum and maximum number of words after the verb. */
const WORDS: Readonly<Record<keyof typeof USAGE, readonly [number, number]>> = {
  LIST: [0, 1],
  GET: [1, 2],
  PUT: [2, 3],
  DELETE: [1, 1],
  STAT: [1, 1],
  QUIT: [0, 0],
};
const COUNT = /^\d{1,15}$/;

/**
 * Parses a request line: a verb and words, separated by one space.
 *
 * @throws {RequestError} If the verb is unknown, or the words do not fit it.
 * @throws {PathError} If the path is never served.
 */
export function parseRequest(line: string): FilesRequest {
  const [verb = "", ...words] = line.split(" ");
  if (!isVerb(verb)) {
    throw new RequestError(`Unknown verb, expected ${Object.keys(USAGE).join(", ")}`);
  }
  const [least, most] = WORDS[verb];
  if (words.length < least || words.length > most || words.includes("")) {
    throw new RequestError(`Invalid request, expected ${USAGE[verb]}`);
  }
  switch (verb) {
    case "LIST":
      return { type: "list", path: parsePath(words[0] ?? ".") };
    case "GET":
      return { type: "get", path: filePath(words[0]!), offset: parseCount(words[1] ?? "0", USAGE.GET) };
    case "PUT":
      return { type: "put", path: filePath(words[0]!), ...parseExtent(words[1]!, words[2] ?? "0") };
    case "DELETE":
      return { type: "delete", path: filePath(words[0]!) };
    case "STAT":
      return { type: "stat", path: parsePath(words[0]!) };
    case "QUIT":
      return { type: "quit" };
  }
}

function isVerb(word: string): word is keyof typeof USAGE {
  return Object.hasOwn(USAGE, word);
}

function filePath(word: string): readonly string[] {
  const path = parsePath(word);
  if (path.length === 0) throw new PathError("Path is the root, expected a file");
  return path;
}

function parseExtent(size: string, offset: string): { readonly size: number; readonly offset: number } {
  const extent = { size: parseCount(size, USAGE.PUT), offset: parseCount(offset, USAGE.PUT) };
  if (extent.offset > extent.size) throw new RequestError(`Offset ${offset} is beyond the end, ${size}`);
  return extent;
}

function parseCount(word: string, usage: string): number {
  if (!COUNT.test(word)) {
    throw new RequestError(`Invalid number of bytes ${JSON.stringify(word)} in ${usage}`);
  }
  return Number(word);
}

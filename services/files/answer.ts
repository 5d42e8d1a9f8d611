/** Answers of a files service, as its client reads them. @module */
import { decodeFrame, ProtocolError } from "../../protocol.ts";
import { downloadLength } from "./codec.ts";
import { parsePath, PathError } from "./path.ts";

/** A file or directory of the server, or the start of a file whose upload has not finished. */
export interface RemoteEntry {
  /** The kind of entry. */
  readonly type: "file" | "directory" | "partial";
  /** Size in bytes; 0 for a directory. */
  readonly size: number;
  /** Time of the last change. */
  readonly modified: Date;
  /** Name within its directory. */
  readonly name: string;
}

/** The state of a path at the server. */
export interface RemoteState {
  /** The file or directory; undefined if there is only an unfinished upload. */
  readonly entry: Omit<RemoteEntry, "name"> | undefined;
  /** Bytes that an unfinished upload has left, which another upload can resume. */
  readonly partial: number;
}

/** The line that ends a listing. */
export interface ListingEnd {
  /** Number of names that the server could not send. */
  readonly omitted: number;
}

/** Error thrown when the server refuses a request, or sends an invalid answer. */
export class FilesError extends Error {
  /** The name of the class. */
  override readonly name = "FilesError";
  /** `checksum`: the bytes changed on the way. `refused`: the server gave another reason. `broken`: no valid answer. */
  readonly code: "checksum" | "refused" | "broken";

  /** Creates an error of a kind. */
  constructor(code: FilesError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const ENTRY = /^(file|directory|partial) (\d{1,15}) (\S+)(?: ([^ ]+))?$/;
const STATE = /^ok(?: ((?:file|directory) \d+ \S+))?(?: partial (\d{1,15}))?$/;
const LISTED = /^ok \d{1,15}(?: omitted (\d{1,15}))?$/;
const WORKING = /^working (\d{1,15})$/;
const CHECKSUM = /^sha256 ([0-9a-f]{64})$/;

/** Returns the progress that a line reports; undefined for a line that is an answer. */
export function parseProgress(line: string): number | undefined {
  const done = WORKING.exec(line)?.[1];
  return done === undefined ? undefined : Number(done);
}

/**
 * Parses a line of a listing.
 *
 * @throws {FilesError} If the server refuses, or the line is invalid. So do the other functions here.
 */
export function parseListing(line: string): RemoteEntry | ListingEnd {
  const [end, omitted = "0"] = LISTED.exec(line) ?? [];
  return end === undefined ? { ...parseEntry(line), name: parseName(line) } : { omitted: Number(omitted) };
}

/** Parses the answer to `STAT`. */
export function parseState(line: string): RemoteState {
  const [match, entry, partial = "0"] = STATE.exec(line) ?? [];
  if (match === undefined) throw invalid(line);
  return { entry: entry === undefined ? undefined : parseEntry(entry), partial: Number(partial) };
}

/** Parses the line before a body, and returns the length of the body in bytes. */
export function parseLength(line: string): number {
  const length = downloadLength(line);
  if (length === undefined) throw invalid(line);
  return length;
}

/** Parses the line after a body, and returns the checksum in it. */
export function parseChecksum(line: string): string {
  const checksum = CHECKSUM.exec(line)?.[1];
  if (checksum === undefined) throw invalid(line);
  return checksum;
}

/** Throws unless the answer is the expected one. */
export function expect(line: string, expected: string): void {
  if (line !== expected) throw invalid(line);
}

/** Returns the error for a line that is not the expected answer: the refusal that it carries, or `broken`. */
export function invalid(line: string): FilesError {
  const why = refusalIn(line);
  if (why === undefined) {
    return new FilesError("broken", `Server sent an invalid answer: ${JSON.stringify(line.slice(0, 60))}`);
  }
  const code = why.startsWith("checksum differs") ? "checksum" : "refused";
  return new FilesError(code, `Server refuses: ${why}`);
}

function parseEntry(line: string): Omit<RemoteEntry, "name"> {
  const [, type, size, time = ""] = ENTRY.exec(line) ?? [];
  const modified = new Date(time);
  if ((type !== "file" && type !== "directory" && type !== "partial") || Number.isNaN(modified.getTime())) {
    throw invalid(line);
  }
  return { type, size: Number(size), modified };
}

function parseName(line: string): string {
  try {
    const [name, ...further] = parsePath(ENTRY.exec(line)?.[4] ?? "");
    if (name !== undefined && further.length === 0) return name;
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause;
  }
  throw invalid(line);
}

/** Returns the text of an error line; `undefined` for any other. */
function refusalIn(line: string): string | undefined {
  try {
    const frame = decodeFrame(line);
    return frame.verb === "error" ? frame.text : undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

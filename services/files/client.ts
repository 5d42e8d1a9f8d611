/** A client of the files service. @module */
import { decodeFrame, ProtocolError } from "../../protocol.ts";
import { connect, type Dial } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError, describeCloseReason, FramingError } from "../../socket/errors.ts";
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";
import { assertToken } from "../../access/token_text.ts";
import { downloadLength, filesCodec, type FilesFrame } from "./codec.ts";
import { formatPath, parsePath, PathError } from "./path.ts";

/** Timeouts of a {@linkcode FilesClient}, in ms. */
export interface FilesClientTimeouts {
  /** Maximum time until the connection is open; 0 leaves it to the OS. Default: as `reply`. */
  connect?: number;
  /**
   * Maximum time without progress: the server neither answers, nor reports that it is working, nor accepts more bytes;
   * 0 for no limit. Default 10,000.
   */
  reply?: number;
}

/** The server, and what a {@linkcode FilesClient} shows it. */
export interface FilesClientOptions extends Omit<Dial, "timeouts"> {
  /** Timeouts, in ms. */
  timeouts?: FilesClientTimeouts;
  /** Default: the system clock. */
  clock?: Clock;
  /** Shown first, to a server that wants it. */
  token?: string;
}

/** A file or directory of the server, or what an unfinished upload has left there. */
export interface RemoteEntry {
  /** What it is. */
  readonly type: "file" | "directory" | "partial";
  /** Size in bytes; 0 for a directory. */
  readonly size: number;
  /** When it was last changed. */
  readonly modified: Date;
  /** Its name within its directory. */
  readonly name: string;
}

/** Options for {@linkcode FilesClient.list}. */
export interface ListOptions {
  /** Called at the end with the number of names that the server could not send, if any. */
  readonly onOmitted?: (count: number) => void;
}

/** What is at a path of the server. */
export interface RemoteState {
  /** Undefined if there is nothing yet but an unfinished upload. */
  readonly entry: Omit<RemoteEntry, "name"> | undefined;
  /** Bytes that an unfinished upload has left, which another may continue. */
  readonly partial: number;
}

/** A file that is coming. Read `body` to its end, then `checksum`. */
export interface Download {
  /** Bytes that come. */
  readonly length: number;
  /** The bytes from the offset on. */
  readonly body: AsyncIterableIterator<Uint8Array>;
  /** SHA-256 of the whole file, in hexadecimal, whatever the offset was. */
  checksum(): Promise<string>;
}

/** A file that goes. */
export interface Upload {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that an earlier upload has brought already. Default 0. */
  readonly offset?: number;
  /** The bytes from the offset on. */
  readonly body: AsyncIterable<Uint8Array>;
  /** SHA-256 of the whole file, in hexadecimal; asked for when the body has ended. */
  checksum(): string;
}

/** What the server refused, or answered that is no answer. */
export class FilesError extends Error {
  /** Always `FilesError`. */
  override readonly name = "FilesError";
  /** `checksum`: what came is not what was sent. `refused`: for another reason. `broken`: no answer, or none that makes sense. */
  readonly code: "checksum" | "refused" | "broken";

  /** Creates an error with its code. */
  constructor(code: FilesError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const REPLY_TIMEOUT = 10_000;
const ENTRY = /^(file|directory|partial) (\d{1,15}) (\S+)(?: ([^ ]+))?$/;
const STATE = /^ok(?: ((?:file|directory) \d+ \S+))?(?: partial (\d{1,15}))?$/;
const LISTED = /^ok \d{1,15}(?: omitted (\d{1,15}))?$/;
const WORKING = /^working (\d{1,15})$/;
// A server reports every 400 ms that it waits for its disk. Without a limit, one that never ends would keep its client.
const MAX_IDLE_REPORTS = 1000;
const CHECKSUM = /^sha256 ([0-9a-f]{64})$/;

/**
 * One connection to a files service; a request at a time. Paths are names separated by `/`, as they are: they are
 * encoded here.
 *
 * @example
 * ```ts
 * import { FilesClient, startFiles } from "@okline/okline/services";
 * import { assertEquals } from "@std/assert";
 *
 * const root = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${root}/greeting.txt`, "hello");
 * await using server = await startFiles({ root });
 * await using client = await FilesClient.connect({ port: server.port });
 * const names = await Array.fromAsync(client.list(), (entry) => entry.name);
 * assertEquals(names, ["greeting.txt"]);
 * ```
 */
export class FilesClient implements AsyncDisposable {
  readonly #connection: Connection<FilesFrame>;
  readonly #frames: AsyncIterableIterator<FilesFrame>;
  readonly #replyTimeout: number;
  readonly #clock: Clock;

  private constructor(connection: Connection<FilesFrame>, replyTimeout: number, clock: Clock) {
    this.#connection = connection;
    this.#frames = connection[Symbol.asyncIterator]();
    this.#replyTimeout = replyTimeout;
    this.#clock = clock;
  }

  /**
   * Connects.
   *
   * @throws {RangeError} If the token cannot be one; and as {@linkcode connect} does.
   */
  static async connect(options: FilesClientOptions): Promise<FilesClient> {
    const { timeouts = {}, clock = systemClock, token } = options;
    const { reply = REPLY_TIMEOUT, connect: dial = reply } = timeouts;
    if (token !== undefined) assertToken(token);
    const connection = await connect({
      ...options,
      timeouts: { connect: dial },
      clock,
      codec: filesCodec(downloadLength),
    });
    if (token !== undefined) connection.send(`auth ${token}`);
    return new FilesClient(connection, reply, clock);
  }

  /**
   * What is in a directory, by name. Read to the end.
   *
   * @throws {FilesError} If the server refuses.
   */
  async *list(directory = ".", options: ListOptions = {}): AsyncIterableIterator<RemoteEntry> {
    this.#connection.send(`LIST ${encodePath(directory)}`);
    for (;;) {
      const line = await this.#answer();
      const [end, omitted] = LISTED.exec(line) ?? [];
      if (omitted !== undefined) options.onOmitted?.(Number(omitted));
      if (end !== undefined) return;
      yield { ...parseEntry(line), name: parseName(line) };
    }
  }

  /**
   * Returns the state of a path.
   *
   * @throws {FilesError} If there is no such file or directory.
   */
  async stat(path: string): Promise<RemoteState> {
    this.#connection.send(`STAT ${encodePath(path)}`);
    const line = await this.#answer();
    const [match, entry, partial = "0"] = STATE.exec(line) ?? [];
    if (match === undefined) throw unexpected(line);
    return { entry: entry === undefined ? undefined : parseEntry(entry), partial: Number(partial) };
  }

  /**
   * Asks for a file.
   *
   * @param offset Where in the file to begin. Default 0.
   * @throws {FilesError} If there is no such file, or it ends before the offset.
   */
  async download(path: string, offset = 0): Promise<Download> {
    this.#connection.send(`GET ${encodePath(path)} ${offset}`);
    const line = await this.#answer();
    const length = downloadLength(line);
    if (length === undefined) throw unexpected(line);
    return {
      length,
      body: this.#body(length),
      checksum: async () => {
        const last = await this.#answer();
        const checksum = CHECKSUM.exec(last)?.[1];
        if (checksum === undefined) throw unexpected(last);
        return checksum;
      },
    };
  }

  /**
   * Sends a file; it takes its name at the server when it is whole and its checksum is right.
   *
   * @throws {FilesError} If the server refuses, at the start, on the way or at the end.
   */
  async upload(path: string, upload: Upload): Promise<void> {
    const { size, offset = 0, body } = upload;
    this.#connection.send(`PUT ${encodePath(path)} ${size} ${offset}`);
    const ready = await this.#answer();
    if (ready !== `ready ${offset}`) throw unexpected(ready);
    let answered = false;
    // Looked at while the body goes out: the server may have no room for it.
    const answer = this.#nextLine().finally(() => answered = true);
    answer.catch(() => {});
    for await (const bytes of body) {
      if (!this.#connection.send(bytes)) await this.#inTime(this.#connection.flushed());
      if (answered) break;
    }
    if (!answered) this.#connection.send(`sha256 ${upload.checksum()}`);
    const line = await this.#inTime(answer);
    if (line !== "ok") throw unexpected(line);
  }

  /**
   * Deletes a file.
   *
   * @throws {FilesError} If the server refuses.
   */
  async delete(path: string): Promise<void> {
    this.#connection.send(`DELETE ${encodePath(path)}`);
    const line = await this.#answer();
    if (line !== "ok") throw unexpected(line);
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async *#body(length: number): AsyncIterableIterator<Uint8Array> {
    for (let left = length; left > 0;) {
      const frame = await this.#inTime(this.#next());
      if (typeof frame === "string") throw unexpected(frame);
      left -= frame.length;
      yield frame;
    }
  }

  async #answer(): Promise<string> {
    return await this.#inTime(this.#nextLine());
  }

  /** Returns the next line that is an answer, after any number of lines that report progress. */
  async #nextLine(): Promise<string> {
    let done = -1;
    for (let idle = 0; idle <= MAX_IDLE_REPORTS; idle++) {
      const line = lineOf(await this.#next());
      const report = WORKING.exec(line)?.[1];
      if (report === undefined) return line;
      if (Number(report) > done) idle = 0;
      done = Math.max(done, Number(report));
    }
    throw new FilesError(
      "broken",
      `Server reported ${MAX_IDLE_REPORTS} times that it works, without progress`,
    );
  }

  async #next(): Promise<FilesFrame> {
    try {
      const { done, value } = await this.#frames.next();
      if (!done) return value;
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      throw new FilesError("broken", `Server ended inside its answer: ${error.message}`, { cause: error });
    }
    const why = this.#connection.open ? "" : ` (${describeCloseReason(await this.#connection.closed)})`;
    throw new FilesError("broken", `Server closed the connection${why}`);
  }

  /** Closes the connection when there is no progress for too long, which ends the wait. */
  async #inTime<Result>(promise: Promise<Result>): Promise<Result> {
    const ms = this.#replyTimeout;
    if (ms === 0) return await promise;
    const progress = (): number => {
      const { bytesIn, bytesOut } = this.#connection.stats();
      return bytesIn + bytesOut;
    };
    let seen = progress();
    const look = (): void => {
      const now = progress();
      if (now === seen) this.#connection.abort({ type: "timeout", which: "answer", ms });
      else timer = this.#clock.after(ms, look);
      seen = now;
    };
    let timer = this.#clock.after(ms, look);
    try {
      return await promise;
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      throw new FilesError("broken", `Connection closed: ${describeCloseReason(error.reason)}`, {
        cause: error,
      });
    } finally {
      timer.cancel();
    }
  }
}

function encodePath(path: string): string {
  return path === "." || path === "" ? "." : formatPath(path.split("/"));
}

function parseEntry(line: string): Omit<RemoteEntry, "name"> {
  const [, type, size, time = ""] = ENTRY.exec(line) ?? [];
  const modified = new Date(time);
  if ((type !== "file" && type !== "directory" && type !== "partial") || Number.isNaN(modified.getTime())) {
    throw unexpected(line);
  }
  return { type, size: Number(size), modified };
}

/** The name in the line of an entry. */
function parseName(line: string): string {
  try {
    const [name, ...further] = parsePath(ENTRY.exec(line)?.[4] ?? "");
    if (name !== undefined && further.length === 0) return name;
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause;
  }
  throw unexpected(line);
}

function lineOf(frame: FilesFrame): string {
  if (typeof frame === "string") return frame;
  throw new FilesError("broken", "Server sent bytes where a line was expected");
}

/** The error that a line tells of, or is. */
function unexpected(line: string): FilesError {
  const why = refusalIn(line);
  if (why === undefined) {
    return new FilesError(
      "broken",
      `Server answered ${JSON.stringify(line.slice(0, 60))}, which is no answer`,
    );
  }
  const code = why.startsWith("checksum differs") ? "checksum" : "refused";
  return new FilesError(code, `Server refuses: ${why}`);
}

/** What an error line says; `undefined` for any other. */
function refusalIn(line: string): string | undefined {
  try {
    const frame = decodeFrame(line);
    return frame.verb === "error" ? frame.text : undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

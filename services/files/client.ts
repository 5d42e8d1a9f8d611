/** A client of the files service. @module */
import { connect, type Dial } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError, describeCloseReason, FramingError } from "../../socket/errors.ts";
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";
import { assertToken } from "../../access/token_text.ts";
import { downloadLength, filesCodec, type FilesFrame } from "./codec.ts";
import {
  expect,
  FilesError,
  invalid,
  parseChecksum,
  parseLength,
  parseListing,
  parseProgress,
  parseState,
  type RemoteEntry,
  type RemoteState,
} from "./answer.ts";
import { formatPath } from "./path.ts";

export { FilesError, type RemoteEntry, type RemoteState } from "./answer.ts";

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

/** Options for {@linkcode FilesClient.connect}. */
export interface FilesClientOptions extends Omit<Dial, "timeouts"> {
  /** Timeouts, in ms. */
  timeouts?: FilesClientTimeouts;
  /** The clock. Default: the system clock. */
  clock?: Clock;
  /** Token for a server that requires one. Default: none. */
  token?: string;
}

/** Options for {@linkcode FilesClient.list}. */
export interface ListOptions {
  /** Called at the end with the number of names that the server could not send, if any. */
  readonly onOmitted?: (count: number) => void;
}

/** A file that is being received. Read `body` to its end, then `checksum`. */
export interface Download {
  /** Length of `body` in bytes. */
  readonly length: number;
  /** The bytes from the offset on. */
  readonly body: AsyncIterableIterator<Uint8Array>;
  /** SHA-256 of the whole file, in hexadecimal, whatever the offset was. */
  checksum(): Promise<string>;
}

/** A file to send. */
export interface Upload {
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** Bytes that an earlier upload has sent already. Default 0. */
  readonly offset?: number;
  /** The bytes from the offset on. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Returns the SHA-256 of the whole file, in hexadecimal. Called when the body has ended. */
  checksum(): string;
}

const REPLY_TIMEOUT = 10_000;
// A server reports every 400 ms that it waits for its disk. Without a limit, one that never ends would keep its client.
const MAX_IDLE_REPORTS = 1000;

/**
 * A connection to a files service. It sends one request at a time. Paths are names separated by `/`, without any
 * encoding.
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
   * Connects to a server.
   *
   * @throws {RangeError} If the token is invalid. Errors of `connect` are also thrown.
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
   * Iterates over the entries of a directory, sorted by name. Iterate to the end before the next request.
   *
   * @throws {FilesError} If the server refuses.
   */
  async *list(directory = ".", options: ListOptions = {}): AsyncIterableIterator<RemoteEntry> {
    this.#connection.send(`LIST ${encodePath(directory)}`);
    for (;;) {
      const listed = parseListing(await this.#answer());
      if (!("omitted" in listed)) yield listed;
      else {
        if (listed.omitted > 0) options.onOmitted?.(listed.omitted);
        return;
      }
    }
  }

  /**
   * Returns the state of a path.
   *
   * @throws {FilesError} If there is no such file or directory.
   */
  async stat(path: string): Promise<RemoteState> {
    this.#connection.send(`STAT ${encodePath(path)}`);
    return parseState(await this.#answer());
  }

  /**
   * Requests a file.
   *
   * @param offset Position of the first byte. Default 0.
   * @throws {FilesError} If there is no such file, or it ends before the offset.
   */
  async download(path: string, offset = 0): Promise<Download> {
    this.#connection.send(`GET ${encodePath(path)} ${offset}`);
    const length = parseLength(await this.#answer());
    return {
      length,
      body: this.#body(length),
      checksum: async () => parseChecksum(await this.#answer()),
    };
  }

  /**
   * Sends a file. The server puts it in place when it is complete and its checksum is right.
   *
   * @throws {FilesError} If the server refuses, at the start, during the transfer, or at the end.
   */
  async upload(path: string, upload: Upload): Promise<void> {
    const { size, offset = 0, body } = upload;
    this.#connection.send(`PUT ${encodePath(path)} ${size} ${offset}`);
    expect(await this.#answer(), `ready ${offset}`);
    let answered = false;
    // Awaited while the body is sent, because the server can refuse it, for example when its disk is full.
    const answer = this.#nextLine().finally(() => answered = true);
    answer.catch(() => {});
    for await (const bytes of body) {
      if (!this.#connection.send(bytes)) await this.#inTime(this.#connection.flushed());
      if (answered) break;
    }
    if (!answered) this.#connection.send(`sha256 ${upload.checksum()}`);
    expect(await this.#inTime(answer), "ok");
  }

  /**
   * Deletes a file, and the start of one whose upload has not finished.
   *
   * @throws {FilesError} If the server refuses.
   */
  async delete(path: string): Promise<void> {
    this.#connection.send(`DELETE ${encodePath(path)}`);
    expect(await this.#answer(), "ok");
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async *#body(length: number): AsyncIterableIterator<Uint8Array> {
    for (let left = length; left > 0;) {
      const frame = await this.#inTime(this.#next());
      if (typeof frame === "string") throw invalid(frame);
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
      const report = parseProgress(line);
      if (report === undefined) return line;
      if (report > done) idle = 0;
      done = Math.max(done, report);
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

  /** Waits for a promise, and closes the connection when there is no progress for `timeouts.reply`. */
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

function lineOf(frame: FilesFrame): string {
  if (typeof frame === "string") return frame;
  throw new FilesError("broken", "Server sent bytes where a line was expected");
}

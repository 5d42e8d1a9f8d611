/** A client's session with the files service. @module */
import { errorLine } from "../../protocol.ts";
import type { Connection } from "../../socket/connection.ts";
import type { Clock } from "../../internal/clock.ts";
import { DRAINED } from "../../socket/errors.ts";
import { FileStoreError, type NamedEntry } from "./file_store.ts";
import { type FilesFrame, uploadLength } from "./codec.ts";
import { hashStart, readPieces } from "./hash.ts";
import { formatPath, PathError } from "./path.ts";
import { type FilesRequest, parseRequest, RequestError } from "./request.ts";
import { Upload, type UploadPlace } from "./upload.ts";
import { ClientGoneError, WorkReport } from "./work_report.ts";

/** Options for {@linkcode FilesSession}. */
export interface FilesSessionOptions extends UploadPlace {
  readonly writable: boolean;
  readonly clock: Clock;
  /** Called with the number of bytes received, or of a body that was sent completely. */
  readonly moved: (bytes: { readonly in?: number; readonly out?: number }) => void;
}

interface UnderWay {
  readonly file: Upload;
  readonly report: WorkReport;
}

type Put = Extract<FilesRequest, { type: "put" }>;

const CHECKSUM = /^sha256 ([0-9a-f]{64})$/;
/** A refused body up to this number of bytes is read and dropped. After a longer one, the connection is closed. */
const MAX_SKIPPED_BODY = 64 * 1024;
/** Numbers of bytes to hash or write, and of names to read, for which the server reports progress. */
const MANY_BYTES = 4 * 1024 * 1024;
const MANY_NAMES = 10_000;

/** Serves the requests of one client, in order. */
export class FilesSession {
  readonly #connection: Connection<FilesFrame>;
  readonly #options: FilesSessionOptions;
  #upload: UnderWay | undefined;
  /** Whether the body of a refused upload is still being received. */
  #skipping = false;
  #busy = false;
  /** Whether the session ends after the current request. */
  #last = false;
  #draining = false;
  #ended = false;

  constructor(connection: Connection<FilesFrame>, options: FilesSessionOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Answers requests until the client has finished. */
  async run(): Promise<void> {
    try {
      for await (const frames of this.#connection.batches()) {
        for (const frame of frames) {
          if (this.#ended) return;
          this.#busy = true;
          await this.#take(frame);
          this.#busy = this.#upload !== undefined;
        }
      }
    } finally {
      await this.#upload?.file.suspend();
    }
  }

  /** Ends the session after the current request, or immediately without one. */
  drain(): void {
    this.#last = true;
    this.#draining = true;
    if (!this.#busy) this.#end();
  }

  async #take(frame: FilesFrame): Promise<void> {
    try {
      if (typeof frame !== "string") await this.#takeBody(frame);
      else if (this.#upload) await this.#finishUpload(this.#upload, frame);
      else if (this.#skipping) this.#skipping = false;
      else await this.#request(frame);
    } catch (error) {
      if (error instanceof ClientGoneError) return;
      if (!(error instanceof FileStoreError || error instanceof PathError || error instanceof RequestError)) {
        throw error;
      }
      this.#send(errorLine(error.message));
    }
    if (this.#last && !this.#upload) this.#end("last request answered");
  }

  async #request(line: string): Promise<void> {
    const request = this.#parse(line);
    switch (request.type) {
      case "list":
        return await this.#list(request.path);
      case "get":
        return await this.#get(request.path, request.offset);
      case "put":
        return await this.#put(request);
      case "stat":
        this.#send(`ok ${await this.#describe(request.path)}`);
        return;
      case "delete":
        this.#requireWritable();
        await this.#delete(request.path);
        this.#send("ok");
        return;
      case "quit":
        this.#send("ok");
        this.#end();
        return;
    }
  }

  #parse(line: string): FilesRequest {
    try {
      return parseRequest(line);
    } catch (error) {
      // An invalid upload is followed by a body, too. Without a length, its end is unknown.
      if (line.startsWith("PUT")) {
        this.#refuseBody(error instanceof PathError ? uploadLength(line) : undefined);
      }
      throw error;
    }
  }

  async #list(path: readonly string[]): Promise<void> {
    const { store, partials, writable } = this.#options;
    const files = store.list(path, this.#report(MANY_NAMES).progress);
    let count = 0;
    const show = async ({ type, size, modified, name }: NamedEntry): Promise<void> => {
      count++;
      const room = this.#connection.send(`${type} ${size} ${modified.toISOString()} ${formatPath([name])}`);
      if (!room) await this.#connection.flushed();
    };
    let next = await files.next();
    // On a closed connection without queued bytes, `flushed` does not throw.
    for (; !next.done && this.#connection.open; next = await files.next()) await show(next.value);
    if (!next.done) return;
    if (writable) { for (const entry of await partials.list(path)) await show(entry); }
    this.#send(next.value === 0 ? `ok ${count}` : `ok ${count} omitted ${next.value}`);
  }

  async #describe(path: readonly string[]): Promise<string> {
    const { store, partials, writable } = this.#options;
    const partial = path.length > 0 && writable ? await partials.size(path) : undefined;
    try {
      const { type, size, modified } = await store.stat(path);
      const entry = `${type} ${size} ${modified.toISOString()}`;
      return partial === undefined ? entry : `${entry} partial ${partial}`;
    } catch (error) {
      if (partial === undefined) throw error;
      return `partial ${partial}`;
    }
  }

  /** Deletes a file and its partial file, if at least one of them exists. */
  async #delete(path: readonly string[]): Promise<void> {
    const { store, partials } = this.#options;
    const wasPartial = await partials.remove(path);
    try {
      await store.delete(path);
    } catch (error) {
      if (!wasPartial || !(error instanceof FileStoreError && error.cause instanceof Deno.errors.NotFound)) {
        throw error;
      }
    }
  }

  async #get(path: readonly string[], offset: number): Promise<void> {
    const { file, size } = await this.#options.store.read(path);
    try {
      if (offset > size) throw new RequestError(`Offset ${offset} is beyond the end, ${size}`);
      const length = size - offset;
      // The checksum is that of the whole file, so that a client that resumes can verify both parts.
      const hash = await hashStart(file, offset, this.#report(MANY_BYTES).progress);
      this.#send(`body ${length}`);
      for await (const bytes of readPieces(file, length)) {
        hash.update(bytes);
        if (!this.#connection.send(bytes)) await this.#connection.flushed();
        // On a closed connection without queued bytes, `flushed` does not throw.
        if (!this.#connection.open) return;
      }
      this.#send(`sha256 ${hash.digest("hex")}`);
      this.#options.moved({ out: length });
    } finally {
      file.close();
    }
  }

  async #put(request: Put): Promise<void> {
    try {
      this.#requireWritable();
      const report = this.#report(MANY_BYTES);
      const file = await Upload.begin(this.#options, request.path, request, report.progress);
      this.#upload = { file, report: this.#report(MANY_BYTES) };
    } catch (error) {
      this.#refuseBody(request.size - request.offset);
      throw error;
    }
    this.#send(`ready ${request.offset}`);
  }

  async #takeBody(bytes: Uint8Array): Promise<void> {
    if (!this.#upload) return;
    const { file, report } = this.#upload;
    try {
      await file.write(bytes);
    } catch (error) {
      this.#upload = undefined;
      this.#refuseBody(file.size - file.written);
      // If the disk is full, a partial file would keep it full.
      await file.discard();
      throw error;
    }
    this.#options.moved({ in: bytes.length });
    report.progress(file.written);
  }

  async #finishUpload({ file, report }: UnderWay, line: string): Promise<void> {
    this.#upload = undefined;
    const checksum = CHECKSUM.exec(line)?.[1];
    if (checksum === undefined) {
      await file.discard();
      throw new RequestError("Invalid line after the body, expected sha256 and 64 hexadecimal digits");
    }
    await report.during(file.size, file.finish(checksum));
    this.#send("ok");
  }

  #report(minProgress: number): WorkReport {
    return new WorkReport(this.#connection, this.#options.clock, minProgress);
  }

  /** Skips the body of a refused upload, or ends the session if that would take long. */
  #refuseBody(length: number | undefined): void {
    if (length === undefined || length > MAX_SKIPPED_BODY) this.#last = true;
    else this.#skipping = true;
  }

  #requireWritable(): void {
    if (!this.#options.writable) {
      throw new FileStoreError("Server is read-only: it was started without --writable");
    }
  }

  #send(line: string): void {
    this.#connection.send(line);
  }

  #end(why?: string): void {
    this.#ended = true;
    const local = why === undefined ? undefined : { type: "local" as const, why };
    void this.#connection.close(this.#draining ? DRAINED : local);
  }
}

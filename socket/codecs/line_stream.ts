/** Splits a byte stream into lines. Pure. @module */
import type { FramingError } from "../errors.ts";
import type { Decoded } from "./codec.ts";
import { LineDecoder } from "./line_decoder.ts";

/** Options for {@linkcode LineStream}. */
export interface LineStreamOptions {
  /** Maximum length of a line in bytes, without its line end. Default 64 KiB. */
  readonly maxLine?: number;
}

/**
 * A transform stream from bytes to lines of UTF-8 that end in LF or CRLF. It splits like {@linkcode LineDecoder}, so any
 * byte stream can be read with the same limits: a socket of Deno, a file, or standard input.
 *
 * After the good lines, the stream errors with a {@linkcode FramingError} if a line is too long or is not valid UTF-8, or
 * if the input ends inside a line.
 *
 * @example
 * ```ts
 * import { LineStream } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const accepted = listener.accept();
 * const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
 * await ReadableStream.from(["one\ntw", "o\n"]).pipeThrough(new TextEncoderStream()).pipeTo((await accepted).writable);
 * assertEquals(await Array.fromAsync(client.readable.pipeThrough(new LineStream())), ["one", "two"]);
 * ```
 */
export class LineStream implements TransformStream<Uint8Array, string> {
  /** The lines. */
  readonly readable: ReadableStream<string>;
  /** Accepts the bytes. */
  readonly writable: WritableStream<Uint8Array>;

  /**
   * Creates a stream.
   *
   * @throws {RangeError} If `maxLine` is not an integer of at least 1.
   */
  constructor(options: LineStreamOptions = {}) {
    const decoder = new LineDecoder(options.maxLine);
    const batches = new TransformStream<Uint8Array, Decoded<string>>({
      transform: (bytes, controller) => controller.enqueue(decoder.push(bytes)),
      flush(controller) {
        const error = decoder.end();
        if (error !== undefined) controller.enqueue({ frames: [], error });
      },
    });
    this.writable = batches.writable;
    this.readable = readLines(batches.readable.getReader());
  }
}

// An error drops the chunks that a stream has queued. A stream that queues nothing in advance is asked for more only after
// all its lines have been read, so an error is reported then.
function readLines(batches: ReadableStreamDefaultReader<Decoded<string>>): ReadableStream<string> {
  let failure: FramingError | undefined;
  return new ReadableStream<string>({
    async pull(controller) {
      for (let count = 0; count === 0;) {
        if (failure !== undefined) {
          await batches.cancel(failure);
          throw failure;
        }
        const { done, value } = await batches.read();
        if (done) return controller.close();
        for (const line of value.frames) controller.enqueue(line);
        count = value.frames.length;
        failure = value.error;
      }
    },
    cancel: (reason) => batches.cancel(reason),
  }, { highWaterMark: 0 });
}

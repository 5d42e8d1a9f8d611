/** Web streams over the two halves of a connection. @module */
import { type CloseReason, ConnectionClosedError } from "../errors.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * Returns a stream that reads one frame per pull, and nothing before the first.
 *
 * @param closed Returns a promise of the reason that the connection ended for.
 */
export function readableOf<Frame>(
  reader: Reader<Frame>,
  closed: () => Promise<CloseReason>,
): ReadableStream<Frame> {
  const frames = reader.each();
  return new ReadableStream<Frame>({
    async pull(controller) {
      const { done, value } = await frames.next();
      if (!done) return controller.enqueue(value);
      if (!reader.peerEnded) {
        // Unlike a loop, the end of a stream passes on by itself: a part of a file must not look like the whole.
        const reason = await closed();
        const expected = reason.type === "natural" || reason.type === "local";
        if (!expected) return controller.error(new ConnectionClosedError(reason, 0));
      }
      controller.close();
    },
    cancel() {
      reader.discard();
    },
  }, { highWaterMark: 0 });
}

/**
 * Returns a stream that sends each chunk as a frame and waits while the peer falls behind.
 *
 * @param closed Returns a promise of the reason that the connection ended for.
 * @param abort Closes the connection immediately.
 */
export function writableOf<Frame>(
  writer: Writer<Frame>,
  closed: () => Promise<CloseReason>,
  abort: (why: string) => void,
): WritableStream<Frame> {
  return new WritableStream<Frame>({
    start(controller) {
      // Does nothing if the stream has been closed before.
      void closed().then((reason) => controller.error(new ConnectionClosedError(reason, writer.queued)));
    },
    async write(frame) {
      if (writer.ended) throw new TypeError("Cannot write: this side of the connection is closed");
      if (!writer.send(frame)) await writer.flushed();
    },
    close: () => writer.closeWrite(),
    abort: (cause) =>
      abort(cause === undefined ? "aborted" : String(cause instanceof Error ? cause.message : cause)),
  });
}

/** Sends the frames of a session, with a limit for those that wait. Pure. @module */

/** Sends frames; a `Connection` does. */
export interface FrameSender<Frame> {
  /** Returns `false` if the connection is closed, or the peer falls behind. */
  send(frame: Frame): boolean;
  /** Bytes that the socket has not taken. */
  readonly queuedBytes: number;
  /** Resolves when the socket has taken all of them. Rejects if the connection ends first. */
  flushed(): Promise<void>;
}

/** Limit of bytes that wait to be written: within one turn of the event loop, nothing else stops an endless sender. */
const MOST_UNSENT = 16 * 1024 * 1024;

/**
 * Sends a frame. Does nothing if the connection is closed.
 *
 * @throws {RangeError} If too many bytes wait to be written. The frame is not sent then.
 * @throws {TypeError} If the codec cannot carry the frame.
 */
export function sendFrame<Frame>(connection: FrameSender<Frame>, frame: Frame): void {
  const { queuedBytes } = connection;
  if (queuedBytes > MOST_UNSENT) {
    throw new RangeError(`Cannot send more: ${queuedBytes} bytes wait to be written (limit ${MOST_UNSENT})`);
  }
  connection.send(frame);
}

/**
 * Sends frames in order, up to the first that cannot be sent.
 *
 * @returns The number of frames that were sent, and the error if there are more.
 */
export function sendFrames<Frame>(
  connection: FrameSender<Frame>,
  frames: readonly Frame[],
): { readonly sent: number; readonly error?: unknown } {
  let sent = 0;
  try {
    for (; sent < frames.length; sent++) sendFrame(connection, frames[sent]!);
    return { sent };
  } catch (error) {
    return { sent, error };
  }
}

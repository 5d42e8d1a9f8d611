/** Parts shared by the callback forms of server and client. @module */
import { bytesCodec } from "../codecs/bytes_codec.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Connection } from "../connection.ts";
import { type CloseReason, FramingError } from "../errors.ts";
import type { Address } from "../network.ts";
import type { Clock } from "../../internal/clock.ts";

/** A snapshot of a connection. */
export interface TcpConnectionInfo {
  /** The address of the peer. */
  readonly remote: Address;
  /** Time since it opened, in ms. */
  readonly age: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes that the socket has accepted. */
  readonly bytesOut: number;
}

/** Constructor parameters of the callback forms. The codec is required if frames are not bytes. */
export type CodecOptions<Frame, Options> = Uint8Array extends Frame
  ? [options?: Options & { codec?: Codec<Frame> }]
  : [options: Options & { codec: Codec<Frame> }];

/** Returns the codec, by default for bytes. */
export function codecOf<Frame>(codec: Codec<Frame> | undefined): Codec<Frame> {
  // Without a codec, frames are bytes: CodecOptions ensures that, but the compiler cannot infer it.
  return codec ?? (bytesCodec as Codec<unknown> as Codec<Frame>);
}

/** Returns a snapshot of a connection. */
export function connectionInfo(
  connection: Pick<Connection, "remote" | "stats">,
  clock: Clock,
): TcpConnectionInfo {
  const { openedAt, bytesIn, bytesOut } = connection.stats();
  return { remote: connection.remote, age: clock.now() - openedAt, bytesIn, bytesOut };
}

/** Callbacks for one connection. */
export interface ConnectionEvents<Frame> {
  connected(): void;
  data(frame: Frame): void;
  disconnected(reason: CloseReason): void;
  error(error: Error): void;
}

/**
 * Sends frames, and reports once when sending may go on after `send` has returned `false`.
 */
export class DrainedSender<Frame> {
  readonly #connection: Connection<Frame>;
  readonly #drained: () => void;
  #waiting = false;

  constructor(connection: Connection<Frame>, drained: () => void) {
    this.#connection = connection;
    this.#drained = drained;
  }

  send(frame: Frame): boolean {
    const goOn = this.#connection.send(frame);
    if (!goOn && !this.#waiting && !this.#connection.writeEnded) {
      this.#waiting = true;
      this.#connection.flushed().then(() => this.#flushed(), () => {}); // `disconnected` reports the end.
    }
    return goOn;
  }

  #flushed(): void {
    this.#waiting = false;
    if (!this.#connection.writeEnded) this.#drained();
  }
}

/** Reports everything that happens on a connection until it has ended. */
export async function deliver<Frame>(
  connection: Connection<Frame>,
  events: ConnectionEvents<Frame>,
): Promise<void> {
  callSafely(() => events.connected(), events.error);
  let why: CloseReason | undefined;
  try {
    for await (const frames of connection.batches()) {
      for (const frame of frames) callSafely(() => events.data(frame), events.error);
    }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    reportTo(error, events.error);
    why = { type: "framing", error };
  }
  const reason = await connection.close(why);
  callSafely(() => events.disconnected(reason), events.error);
}

/** Calls a callback and passes an error that it throws to `error`, so that other connections are unaffected. */
export function callSafely(call: () => void, error: (error: Error) => void): void {
  try {
    call();
  } catch (cause) {
    reportTo(cause, error);
  }
}

/** Calls `error`. An error that `error` itself throws becomes an uncaught error of the program. */
export function reportTo(cause: unknown, error: (error: Error) => void): void {
  try {
    error(cause instanceof Error ? cause : new Error(String(cause), { cause }));
  } catch (thrown) {
    reportError(thrown);
  }
}

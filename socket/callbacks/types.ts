/** What the callback forms of server and client share. @module */
import { bytesCodec } from "../codecs/bytes_codec.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Connection } from "../connection.ts";
import { type CloseReason, FramingError } from "../errors.ts";
import type { Address } from "../network.ts";
import type { Clock } from "../../internal/clock.ts";

/** What is known of a connection. */
export interface TcpConnectionInfo {
  readonly remote: Address;
  /** How long it has stood, ms. */
  readonly age: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Constructor parameters of the callback forms: the codec has to be given where frames are not bytes. */
export type CodecOptions<Frame, Options> = Uint8Array extends Frame
  ? [options?: Options & { codec?: Codec<Frame> }]
  : [options: Options & { codec: Codec<Frame> }];

/** The codec given, or that of bytes. */
export function codecOf<Frame>(codec: Codec<Frame> | undefined): Codec<Frame> {
  // Without a codec frames are bytes: CodecOptions has seen to that, which the compiler cannot follow.
  return codec ?? (bytesCodec as Codec<unknown> as Codec<Frame>);
}

/** What is known of a connection now. */
export function connectionInfo(
  connection: Pick<Connection, "remote" | "stats">,
  clock: Clock,
): TcpConnectionInfo {
  const { openedAt, bytesIn, bytesOut } = connection.stats();
  return { remote: connection.remote, age: clock.now() - openedAt, bytesIn, bytesOut };
}

/** The life of one connection, as callbacks. */
export interface ConnectionEvents<Frame> {
  connected(): void;
  data(frame: Frame): void;
  disconnected(reason: CloseReason): void;
  error(error: Error): void;
}

/** Calls back for all that happens on a connection, until it has ended. */
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
    tell(error, events.error);
    why = { type: "framing", error };
  }
  const reason = await connection.close(why);
  callSafely(() => events.disconnected(reason), events.error);
}

/** Calls a callback; what it throws is told to `error`, and harms nobody else. */
export function callSafely(call: () => void, error: (error: Error) => void): void {
  try {
    call();
  } catch (cause) {
    tell(cause, error);
  }
}

/** Tells `error`. What that throws itself is an uncaught error of the program. */
export function tell(cause: unknown, error: (error: Error) => void): void {
  try {
    error(cause instanceof Error ? cause : new Error(String(cause), { cause }));
  } catch (thrown) {
    reportError(thrown);
  }
}

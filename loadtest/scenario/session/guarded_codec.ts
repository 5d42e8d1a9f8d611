/** A codec of a user, made safe: one that throws or returns nonsense ends its connection, and not the run. Pure. @module */
import type { Codec, Decoded, Decoder, Encoder } from "../../../socket/codecs/codec.ts";
import { FramingError } from "../../../socket/errors.ts";
import { messageOf } from "../errors.ts";

/** Receives what a codec threw, or an error that names what it returned instead of what it must return. */
export type CodecFailed = (error: unknown) => void;

const NOTHING = new Uint8Array(0);

/**
 * Returns a codec for one connection that never throws while the connection reads or writes. `push` of the encoder throws
 * as the codec does, because its caller is the scenario.
 */
export function guardedCodec<Frame>(codec: Codec<Frame>, failed: CodecFailed): Codec<Frame> {
  return {
    ...(codec.copies === undefined ? {} : { copies: codec.copies }),
    decoder: () => new GuardedDecoder(codec, failed),
    encoder: () => new GuardedEncoder(codec, failed),
  };
}

class GuardedDecoder<Frame> implements Decoder<Frame> {
  readonly #failed: CodecFailed;
  readonly #decoder: Decoder<Frame> | undefined;
  #error: FramingError | undefined;

  constructor(codec: Codec<Frame>, failed: CodecFailed) {
    this.#failed = failed;
    try {
      this.#decoder = withMethods("decoder()", codec.decoder(), ["push", "end"]);
    } catch (error) {
      this.#fail(error);
    }
  }

  push(bytes: Uint8Array): Decoded<Frame> {
    if (this.#error === undefined && this.#decoder !== undefined) {
      try {
        const decoded = this.#decoder.push(bytes);
        if (!Array.isArray(decoded?.frames)) throw nonsense("push() of the decoder", "frames", decoded);
        const { frames, error } = decoded;
        return error === undefined ? decoded : { frames, error: framingError(error) };
      } catch (error) {
        this.#fail(error);
      }
    }
    return { frames: [], error: this.#error! };
  }

  end(): FramingError | undefined {
    if (this.#error === undefined && this.#decoder !== undefined) {
      try {
        const error = this.#decoder.end();
        return error === undefined ? undefined : framingError(error);
      } catch (error) {
        this.#fail(error);
      }
    }
    return this.#error;
  }

  #fail(error: unknown): void {
    this.#error = new FramingError("bad-frame", `the codec failed: ${messageOf(error)}`);
    this.#failed(error);
  }
}

class GuardedEncoder<Frame> implements Encoder<Frame> {
  readonly takeInto?: (buffer: Uint8Array) => number | undefined;
  readonly #failed: CodecFailed;
  #encoder: Encoder<Frame> | undefined;

  constructor(codec: Codec<Frame>, failed: CodecFailed) {
    this.#failed = failed;
    try {
      const encoder = withMethods("encoder()", codec.encoder(), ["push", "take"]);
      this.#encoder = encoder;
      if (encoder.takeInto !== undefined) this.takeInto = (buffer) => this.#takeInto(buffer);
    } catch (error) {
      this.#fail(error);
    }
  }

  get size(): number {
    return this.#encoder?.size ?? 0;
  }

  push(frame: Frame): void {
    if (this.#encoder === undefined) {
      throw new TypeError("Cannot send a frame: the encoder of the codec failed");
    }
    this.#encoder.push(frame);
    const { size } = this.#encoder;
    if (!(size >= 0)) throw nonsense("size of the encoder", "a number from 0", size);
  }

  take(): Uint8Array {
    try {
      if (this.#encoder === undefined) return NOTHING;
      const bytes = this.#encoder.take();
      if (!(bytes instanceof Uint8Array)) throw nonsense("take() of the encoder", "bytes", bytes);
      this.#assertEmpty(this.#encoder);
      return bytes;
    } catch (error) {
      this.#fail(error);
      return NOTHING;
    }
  }

  #takeInto(buffer: Uint8Array): number | undefined {
    try {
      if (this.#encoder === undefined) return 0;
      const length = this.#encoder.takeInto?.(buffer);
      if (length === undefined) return undefined;
      if (!(length >= 0 && length <= buffer.length)) {
        throw nonsense("takeInto() of the encoder", "a number of bytes", length);
      }
      this.#assertEmpty(this.#encoder);
      return length;
    } catch (error) {
      this.#fail(error);
      return 0;
    }
  }

  /** Bytes that stay pending would be taken again, without end. */
  #assertEmpty({ size }: Encoder<Frame>): void {
    if (size !== 0) throw new TypeError(`Cannot use the encoder: expected size 0 after take(), got ${size}`);
  }

  /** Drops what is pending, which cannot be encoded. Nothing more is sent. */
  #fail(error: unknown): void {
    this.#encoder = undefined;
    this.#failed(error);
  }
}

function withMethods<Part extends object>(
  name: string,
  part: Part,
  methods: readonly (keyof Part & string)[],
): Part {
  const missing = methods.find((method) => typeof Reflect.get(Object(part), method) !== "function");
  if (missing === undefined) return part;
  throw nonsense(`${name} of the codec`, `an object with ${missing}()`, part);
}

/** Another copy of the library has another class of the same name. */
function framingError(error: unknown): FramingError {
  return error instanceof FramingError ? error : new FramingError("bad-frame", messageOf(error));
}

function nonsense(what: string, expected: string, got: unknown): TypeError {
  const shown = got === null || typeof got === "number" ? String(got) : typeof got;
  return new TypeError(`Cannot use the ${what}: expected ${expected}, got ${shown}`);
}

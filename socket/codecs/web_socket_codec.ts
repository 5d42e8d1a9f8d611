/** The client's side of WebSocket (RFC 6455), the opening handshake included. Pure. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import { plural } from "../../internal/plural.ts";
import { quoted } from "../../internal/printable.ts";
import { FramingError } from "../errors.ts";
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";

/** The client's opening request; the first frame of a connection. */
export interface WebSocketRequest {
  /** Distinguishes the request from other frames. */
  readonly type: "upgrade";
  /** Default `/`. */
  readonly path?: string;
  /** The `Host` header. Default `localhost`. */
  readonly host?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The server's answer to the opening request. */
export interface WebSocketResponse {
  /** Distinguishes the response from other frames. */
  readonly type: "upgraded";
  /** The HTTP status. */
  readonly status: number;
}

/** A ping, its answer, or the end of a WebSocket. */
export interface WebSocketControl {
  /** The kind of control frame. */
  readonly type: "ping" | "pong" | "close";
  /** Default: empty. */
  readonly data?: Uint8Array;
}

/** A WebSocket frame: text, binary, or control. The handshake comes first. */
export type WebSocketFrame = string | Uint8Array | WebSocketRequest | WebSocketResponse | WebSocketControl;

/** Options for {@linkcode webSocketCodec}. */
export interface WebSocketOptions {
  /** Most bytes of a received message. Default 1 MiB. */
  readonly maxMessage?: number;
}

const MAX_MESSAGE = 1024 * 1024;
const MAX_HEAD = 16 * 1024;
const MAX_CONTROL = 125;
/** A fixed key, and the answer to it: a test has no caches to protect, and the server's part is checked all the same. */
const KEY = "b2tsaW5lIHNjZW5hcmlvcw==";
const ACCEPT = "aEoEUVVBbUn9RWw+a4OBeh8+eDs=";
/** As fixed: masks guard proxies against scripts in browsers. */
const MASK = [0x6f, 0x6b, 0x6c, 0x6e] as const;
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const CONTROLS: ReadonlyMap<number, WebSocketControl["type"]> = new Map([[8, "close"], [9, "ping"], [
  10,
  "pong",
]]);

/**
 * The client's side of a WebSocket. The first frame to send is a {@linkcode WebSocketRequest}, and the first to arrive
 * the {@linkcode WebSocketResponse}; after that text is a `string`, and binary a `Uint8Array`. A message in several
 * frames arrives as one.
 *
 * @example
 * ```ts
 * import { webSocketCodec } from "@okline/okline/socket";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const encoder = webSocketCodec().encoder();
 * encoder.push({ type: "upgrade", path: "/chat" });
 * assertStringIncludes(new TextDecoder().decode(encoder.take()), "GET /chat HTTP/1.1\r\n");
 * ```
 */
export function webSocketCodec({ maxMessage = MAX_MESSAGE }: WebSocketOptions = {}): Codec<WebSocketFrame> {
  return {
    decoder: () => new WebSocketDecoder(maxMessage),
    encoder: () => new WebSocketEncoder(),
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

class WebSocketDecoder implements Decoder<WebSocketFrame> {
  readonly #maxMessage: number;
  #bytes = new Uint8Array(0);
  #open = false;
  /** The frames of a message so far. */
  readonly #parts = new ByteQueue();
  #opcode = 0;

  constructor(maxMessage: number) {
    this.#maxMessage = maxMessage;
  }

  push(bytes: Uint8Array): Decoded<WebSocketFrame> {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    const frames: WebSocketFrame[] = [];
    while (this.#bytes.length > 0) {
      const frame = this.#open ? this.#takeFrame() : this.#takeHead();
      if (frame === undefined) break;
      if (frame instanceof FramingError) return { frames, error: frame };
      if (frame !== PENDING) frames.push(frame);
    }
    return { frames };
  }

  end(): FramingError | undefined {
    if (this.#bytes.length === 0 && this.#parts.size === 0) return undefined;
    return new FramingError("unterminated", "Stream ended inside a WebSocket frame");
  }

  #takeHead(): WebSocketResponse | FramingError | undefined {
    const text = String.fromCharCode(...this.#bytes.subarray(0, MAX_HEAD));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      return this.#bytes.length < MAX_HEAD ? undefined : badFrame("the end of the response head");
    }
    const [first = "", ...headers] = text.slice(0, end).split("\r\n");
    const status = /^HTTP\/1\.1 (\d{3})( |$)/.exec(first)?.[1];
    if (status === undefined) return badFrame(`an HTTP response, got ${quoted(first)}`);
    const accept = headers.map((line) => /^sec-websocket-accept:\s*(.*?)\s*$/i.exec(line)?.[1]).find(Boolean);
    if (status === "101" && accept !== ACCEPT) {
      return badFrame(`Sec-WebSocket-Accept: ${ACCEPT}, got ${quoted(accept ?? "none")}`);
    }
    this.#bytes = this.#bytes.slice(end + 4);
    this.#open = status === "101";
    return { type: "upgraded", status: Number(status) };
  }

  #takeFrame(): WebSocketFrame | FramingError | typeof PENDING | undefined {
    const [first = 0, second] = this.#bytes;
    if (second === undefined) return undefined;
    if ((first & 0x70) !== 0) return badFrame("a frame without extensions");
    if (second >= 0x80) return badFrame("a frame without a mask from the server");
    const header = second === 126 ? 4 : second === 127 ? 10 : 2;
    if (this.#bytes.length < header) return undefined;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const length = second === 126
      ? view.getUint16(2)
      : second === 127
      ? Number(view.getBigUint64(2))
      : second;
    const control = CONTROLS.get(first & 15);
    if (control !== undefined && (length > MAX_CONTROL || first < 0x80)) {
      return badFrame("a short control frame");
    }
    if (length + this.#parts.size > this.#maxMessage) {
      return new FramingError(
        "frame-too-long",
        `WebSocket message is over the limit of ${plural(this.#maxMessage, "byte")}`,
      );
    }
    if (this.#bytes.length < header + length) return undefined;
    const data = this.#bytes.slice(header, header + length);
    this.#bytes = this.#bytes.slice(header + length);
    return control === undefined ? this.#message(first, data) : { type: control, data };
  }

  #message(first: number, data: Uint8Array): WebSocketFrame | FramingError | typeof PENDING {
    const opcode = first & 15;
    const continues = opcode === OPCODES.continuation;
    if (opcode > OPCODES.binary) return badFrame(`a known opcode, got ${opcode}`);
    if (continues !== (this.#opcode !== 0)) return badFrame("a message in its order of frames");
    if (!continues) this.#opcode = opcode;
    this.#parts.push(data);
    if (first < 0x80) return PENDING;
    const whole = this.#parts.take();
    const isText = this.#opcode === OPCODES.text;
    this.#opcode = 0;
    if (!isText) return whole;
    try {
      return utf8.decode(whole);
    } catch {
      return new FramingError("invalid-utf8", "WebSocket text is not valid UTF-8");
    }
  }
}

/** More frames have to come before there is a message. */
const PENDING: unique symbol = Symbol("pending");

function badFrame(expected: string): FramingError {
  return new FramingError("bad-frame", `Not a WebSocket: expected ${expected}`);
}

class WebSocketEncoder implements Encoder<WebSocketFrame> {
  readonly #queue = new ByteQueue();

  get size(): number {
    return this.#queue.size;
  }

  push(frame: WebSocketFrame): void {
    if (typeof frame === "string") this.#frame(OPCODES.text, encoder.encode(frame));
    else if (frame instanceof Uint8Array) this.#frame(OPCODES.binary, frame);
    else if (frame.type === "upgrade") this.#queue.push(encoder.encode(requestHead(frame)));
    else if (frame.type === "upgraded") {
      throw new TypeError("Cannot send a response: expected a request, as from a client");
    } else if ((frame.data?.length ?? 0) > MAX_CONTROL) {
      throw new RangeError(
        `Cannot send a ${frame.type} of ${frame.data?.length} bytes: expected at most ${MAX_CONTROL}`,
      );
    } else this.#frame(OPCODES[frame.type], frame.data ?? new Uint8Array(0));
  }

  take(): Uint8Array {
    return this.#queue.take();
  }

  #frame(opcode: number, data: Uint8Array): void {
    const header = new Uint8Array(data.length < 126 ? 2 : data.length < 65536 ? 4 : 10);
    const view = new DataView(header.buffer);
    header[0] = 0x80 | opcode;
    header[1] = 0x80 | (header.length === 2 ? data.length : header.length === 4 ? 126 : 127);
    if (header.length === 4) view.setUint16(2, data.length);
    if (header.length === 10) view.setBigUint64(2, BigInt(data.length));
    this.#queue.push(header);
    for (const byte of MASK) this.#queue.pushByte(byte);
    this.#queue.push(data.map((byte, index) => byte ^ MASK[(index & 3) as 0 | 1 | 2 | 3]));
  }
}

function requestHead({ path = "/", host = "localhost", headers = {} }: WebSocketRequest): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${KEY}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const bad = lines.find((line) => /[\r\n]/.test(line));
  if (bad !== undefined) {
    throw new TypeError(`Cannot send the header ${quoted(bad)}: it contains a line break`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Codec,
  delimiterCodec,
  fixedSizeCodec,
  ndjsonCodec,
  respCodec,
  RespError,
  webSocketCodec,
} from "../../../socket/mod.ts";

const permissions = "none";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Decodes a stream in one piece, in single bytes, and cut in two at every place; all must agree. */
function decode<Frame>(
  codec: Codec<Frame>,
  stream: Uint8Array,
): { frames: Frame[]; error: string | undefined } {
  const read = (pieces: readonly Uint8Array[]) => {
    const decoder = codec.decoder();
    const frames: Frame[] = [];
    for (const piece of pieces) {
      // The decoder must not keep the buffer, which the reader uses again.
      const lent = piece.slice();
      const decoded = decoder.push(lent);
      frames.push(...decoded.frames);
      lent.fill(0xaa);
      if (decoded.error !== undefined) return { frames, error: decoded.error.code as string };
    }
    return { frames, error: decoder.end()?.code as string | undefined };
  };
  const whole = read([stream]);
  assertEquals(read(Array.from(stream, (byte) => new Uint8Array([byte]))), whole);
  for (let cut = 1; cut < stream.length; cut++) {
    assertEquals(read([stream.subarray(0, cut), stream.subarray(cut)]), whole, `cut at ${cut}`);
  }
  return whole;
}

function encoded<Frame>(codec: Codec<Frame>, ...frames: Frame[]): Uint8Array {
  const encoder = codec.encoder();
  for (const frame of frames) encoder.push(frame);
  const taken = encoder.take();
  assertEquals(encoder.size, 0);
  return taken;
}

Deno.test({
  name: "delimiterCodec() splits text at a delimiter of any length",
  permissions,
  fn: () => {
    const crlf = delimiterCodec({ delimiter: "\r\n" });
    assertEquals(decode(crlf, bytes("one\r\n\r\ntwo\rx\nthree\r\r\n")), {
      frames: ["one", "", "two\rx\nthree\r"],
      error: undefined,
    });
    assertEquals(decode(crlf, bytes("one\r\ntw")), { frames: ["one"], error: "unterminated" });
    assertEquals(decode(delimiterCodec({ delimiter: "\0" }), bytes("ä\0b\0")).frames, ["ä", "b"]);
    assertEquals(encoded(crlf, "a", ""), bytes("a\r\n\r\n"));
    assertThrows(() => encoded(crlf, "a\r\nb"), TypeError, "it contains the delimiter");
    assertThrows(() => delimiterCodec({ delimiter: "" }), RangeError);
  },
});

Deno.test({
  name: "delimiterCodec() limits frames exactly, and rejects invalid UTF-8",
  permissions,
  fn: () => {
    const codec = delimiterCodec({ delimiter: "\r\n", maxFrame: 3 });
    assertEquals(decode(codec, bytes("abc\r\n")), { frames: ["abc"], error: undefined });
    assertEquals(decode(codec, bytes("ab\r\nabcd\r\n")), { frames: ["ab"], error: "frame-too-long" });
    assertEquals(decode(codec, new Uint8Array([97, 13, 10, 0xff, 13, 10])), {
      frames: ["a"],
      error: "invalid-utf8",
    });
  },
});

Deno.test({
  name: "fixedSizeCodec() cuts the stream into frames of its size",
  permissions,
  fn: () => {
    const codec = fixedSizeCodec({ size: 3 });
    const stream = new Uint8Array([1, 2, 3, 4, 5, 6, 7]);
    assertEquals(decode(codec, stream), {
      frames: [stream.slice(0, 3), stream.slice(3, 6)],
      error: "unterminated",
    });
    assertEquals(encoded(codec, stream.slice(0, 3)), stream.slice(0, 3));
    assertThrows(() => encoded(codec, stream), RangeError, "expected exactly 3");
    assertThrows(() => fixedSizeCodec({ size: 0 }), RangeError);
  },
});

Deno.test({
  name: "ndjsonCodec() carries JSON values, and rejects a line that is not JSON",
  permissions,
  fn: () => {
    const codec = ndjsonCodec();
    const values = [{ id: 1, text: "a\nb" }, [1, null, true], "x"];
    assertEquals(decode(codec, encoded(codec, ...values)), { frames: values, error: undefined });
    assertEquals(decode(codec, bytes("1\n\nnope\n2\n")), { frames: [1], error: "bad-frame" });
  },
});

Deno.test({
  name: "ndjsonCodec() rounds no integer, and rejects a number that is too large",
  permissions,
  fn: () => {
    const codec = ndjsonCodec();
    const exact =
      '{"id":12345678901234567890,"low":[-9007199254740993],"text":"1234567890123456","none":null}\n';
    const value = {
      id: 12345678901234567890n,
      low: [-9007199254740993n],
      text: "1234567890123456",
      none: null,
    };
    assertEquals(decode(codec, bytes(exact)), { frames: [value], error: undefined });
    assertEquals(new TextDecoder().decode(encoded(codec, value)), exact);
    assertEquals(decode(codec, bytes("1e3\n9007199254740991\n1.10\n-0\n")).frames, [
      1000,
      2 ** 53 - 1,
      1.1,
      -0,
    ]);
    assertEquals(decode(codec, bytes("1\n[1e999]\n2\n")), { frames: [1], error: "bad-frame" });
    assertEquals(decode(codec, bytes("1\n12345678901234567e\n")), { frames: [1], error: "bad-frame" });
  },
});

Deno.test({
  name: "ndjsonCodec() throws for a value that JSON cannot represent",
  permissions,
  fn: () => {
    const encoder = ndjsonCodec().encoder();
    for (const value of [NaN, [Infinity], { a: -Infinity }, undefined as never]) {
      assertThrows(() => encoder.push(value), TypeError, "Cannot encode");
    }
    assertEquals(encoder.size, 0);
  },
});

Deno.test({
  name: "respCodec() decodes the types of RESP2 and RESP3",
  permissions,
  fn: () => {
    const stream =
      "+OK\r\n-ERR no\r\n:42\r\n:9007199254740993\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n" +
      "*3\r\n:1\r\n*2\r\n$2\r\nä\r\n_\r\n#t\r\n,1.5\r\n,-inf\r\n(123\r\n!3\r\nERR\r\n=7\r\ntxt:abc\r\n" +
      "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n~1\r\n:7\r\n>2\r\n+m\r\n+x\r\n";
    assertEquals(decode(respCodec(), bytes(stream)), {
      frames: [
        ...["OK", new RespError("ERR no"), 42, 9007199254740993n, "a\r\nbc", "", null, null, []],
        ...[[1, ["ä", null], true], 1.5, -Infinity, 123n, new RespError("ERR"), "abc"],
        ...[new Map<string, unknown>([["a", 1], ["b", [2]]]), [7], ["m", "x"]],
      ] as never[],
      error: undefined,
    });
  },
});

Deno.test({
  name: "respCodec() rejects what is not RESP, and bounds lengths",
  permissions,
  fn: () => {
    for (
      const [stream, error] of [
        ["+OK\n", "bad-frame"],
        ["OK\r\n", "bad-frame"],
        [":x\r\n", "bad-frame"],
        ["#x\r\n", "bad-frame"],
        ["$1\r\nabc", "bad-frame"],
        ["$x\r\n", "bad-length"],
        ["$-2\r\n", "bad-length"],
        ["*x\r\n", "bad-length"],
        ["*1\r\n".repeat(40), "bad-length"],
        ["$9\r\n", "frame-too-long"],
        ["+O", "unterminated"],
        ["*2\r\n:1\r\n", "unterminated"],
      ] as const
    ) assertEquals(decode(respCodec({ maxBulk: 8 }), bytes(stream)), { frames: [], error }, stream);
  },
});

Deno.test({
  name: "respCodec() encodes commands as a client, and replies as a server",
  permissions,
  fn: () => {
    assertEquals(
      encoded(respCodec(), "PING", ["SET", "ä", 7]),
      bytes("*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n7\r\n"),
    );
    assertThrows(() => encoded(respCodec(), 7), TypeError, "Cannot send 7 as a command");
    assertThrows(() => encoded(respCodec(), ["SET", null]), TypeError, "Cannot send null in a command");
    const server = respCodec({ role: "server" });
    const values = ["x", 1, null, [1, "a", [true]], new RespError("ERR no"), 2.5, new Map([["a", 1]])];
    assertEquals(decode(server, encoded(server, ...values)), { frames: values, error: undefined });
  },
});

Deno.test({
  name: "respCodec() leaves nothing of a value that it cannot encode",
  permissions,
  fn: () => {
    for (
      const [role, value] of [["client", ["SET", null]], ["server", [1, ["a", undefined as never]]]] as const
    ) {
      const encoder = respCodec({ role }).encoder();
      encoder.push(["GET", "a"]);
      const { size } = encoder;
      assertThrows(() => encoder.push(value), TypeError, "Cannot send");
      assertEquals(encoder.size, size);
      encoder.push(["GET", "b"]);
      const sent = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n";
      assertEquals(encoder.take(), bytes(sent));
    }
  },
});

Deno.test({
  name: "respCodec() takes pending bytes into memory that has room, and keeps them otherwise",
  permissions,
  fn: () => {
    const encoder = respCodec().encoder();
    // Of every length up to and beyond what an encoder has room for at first, ASCII and not.
    const words = ["", "a", "ä", "x".repeat(127), "é".repeat(128), "x".repeat(129), "€".repeat(5000)];
    for (const word of words) {
      encoder.push([word]);
      const length = new TextEncoder().encode(word).length;
      const sent = bytes(`*1\r\n$${length}\r\n${word}\r\n`);
      assertEquals(encoder.size, sent.length);
      assertEquals(encoder.takeInto?.(new Uint8Array(sent.length - 1)), undefined);
      const memory = new Uint8Array(sent.length + 1);
      assertEquals(encoder.takeInto?.(memory), sent.length);
      assertEquals(memory.subarray(0, -1), sent);
      assertEquals(encoder.size, 0);
    }
    // What was taken stays as it is while the encoder goes on.
    const taken = words.map((word) => encoded(respCodec(), word));
    assertEquals(
      decode(respCodec(), new Uint8Array(taken.flatMap((part) => [...part]))).frames,
      words.map((word) => [word]),
    );
  },
});

const ACCEPTED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: aEoEUVVBbUn9RWw+a4OBeh8+eDs=\r\n\r\n";

function frames(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => typeof part === "string" ? [...bytes(part)] : [...part]));
}

Deno.test({
  name: "webSocketCodec() decodes the handshake, text, binary, control frames, and fragments",
  permissions,
  fn: () => {
    const stream = frames(
      ACCEPTED,
      [0x81, 2],
      "hi",
      [0x82, 1, 7],
      [0x01, 1],
      "a",
      [0x89, 1, 9],
      [0x80, 2],
      "bc",
      [0x88, 0],
    );
    assertEquals(decode(webSocketCodec(), stream), {
      frames: [
        { type: "upgraded", status: 101 },
        "hi",
        new Uint8Array([7]),
        { type: "ping", data: new Uint8Array([9]) },
        "abc",
        { type: "close", data: new Uint8Array(0) },
      ],
      error: undefined,
    });
    const long = "x".repeat(300);
    assertEquals(decode(webSocketCodec(), frames(ACCEPTED, [0x81, 126, 1, 44], long)).frames[1], long);
  },
});

Deno.test({
  name: "webSocketCodec() rejects a wrong handshake and frames that the specification forbids",
  permissions,
  fn: () => {
    const after = (...parts: readonly (string | readonly number[])[]) =>
      decode(webSocketCodec({ maxMessage: 8 }), frames(ACCEPTED, ...parts)).error;
    assertEquals(decode(webSocketCodec(), bytes(ACCEPTED.replace("aEoE", "aaaa"))).error, "bad-frame");
    assertEquals(decode(webSocketCodec(), bytes("SSH-2.0\r\n\r\n")).error, "bad-frame");
    assertEquals(decode(webSocketCodec(), bytes("HTTP/1.1 403 Forbidden\r\n\r\n")).frames, [{
      type: "upgraded",
      status: 403,
    }]);
    assertEquals(after([0x81, 0x81, 0, 0, 0, 0, 0]), "bad-frame");
    assertEquals(after([0xc1, 0]), "bad-frame");
    assertEquals(after([0x80, 0]), "bad-frame");
    assertEquals(after([0x83, 0]), "bad-frame");
    assertEquals(after([0x09, 0]), "bad-frame");
    assertEquals(after([0x82, 9]), "frame-too-long");
    assertEquals(after([0x81, 1, 0xff]), "invalid-utf8");
    assertEquals(after([0x81, 2, 97]), "unterminated");
  },
});

Deno.test({
  name: "webSocketCodec() masks what it sends",
  permissions,
  fn: () => {
    const sent = encoded(webSocketCodec(), "hi");
    assertEquals([...sent.subarray(0, 2)], [0x81, 0x82]);
    assertEquals([...sent.subarray(6)].map((byte, index) => byte ^ sent[2 + index]!), [...bytes("hi")]);
    assertEquals(encoded(webSocketCodec(), "x".repeat(70_000)).length, 70_000 + 14);
    assertThrows(() => encoded(webSocketCodec(), { type: "upgrade", path: "/ HTTP/1.1\r\nX: y" }), TypeError);
    assertThrows(() => encoded(webSocketCodec(), { type: "ping", data: new Uint8Array(126) }), RangeError);
  },
});

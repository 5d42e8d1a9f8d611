/** Properties of the grammars that untrusted proxies and servers speak. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { httpRequest } from "../../../loadtest/generate/request_reply.ts";
import { HttpResponseError, type ResponseEvent, ResponseParser } from "../../../http/response_parser.ts";
import { formatProxyHeader } from "../../../services/proxy/proxy_protocol/format.ts";
import { ProxyProtocolError } from "../../../services/proxy/proxy_protocol/header.ts";
import { ProxyHeaderReader } from "../../../services/proxy/proxy_protocol/reader.ts";
import { lengthPrefixCodec } from "../../../socket/codecs/length_prefix_codec.ts";
import { chunks, cuts, decoded, nearly, type Properties, run } from "./fuzz_bytes.ts";

const encoder = new TextEncoder();
const joined = (all: readonly Uint8Array[]) => Uint8Array.from(all.flatMap((bytes) => [...bytes]));

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const ADDRESS_4 = [127, 0, 0, 1, 10, 0, 0, 7, 0x1f, 0x90, 0, 80];
const proxied = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...[
        "PROXY ",
        "TCP4 ",
        "TCP6 ",
        "UNKNOWN",
        "127.0.0.1 ",
        "::1 ",
        "1.2.3.4 80 ",
        "65536",
        "80",
        "\r\n",
        "GET /",
      ]
        .map((text) => encoder.encode(text)),
      encoder.encode("PROXY TCP4 127.0.0.1 10.0.0.7 8080 80\r\n"),
      encoder.encode("PROXY TCP6 ::1 fe80::1 8080 80\r\n"),
      Uint8Array.from(SIGNATURE),
      Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0, 12, ...ADDRESS_4]),
      Uint8Array.from([...SIGNATURE, 0x20, 0, 0, 0]),
      // Extensions: one without a value, a checksum that is wrong, one that says it is longer than the header.
      Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0, 15, ...ADDRESS_4, 4, 0, 0]),
      Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0, 19, ...ADDRESS_4, 3, 0, 4, 1, 2, 3, 4]),
      Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0, 15, ...ADDRESS_4, 4, 255, 255]),
      Uint8Array.from([...SIGNATURE, 0x21, 0x21, 0, 36, ...new Uint8Array(36)]),
    ),
    fc.uint8Array({ maxLength: 20 }),
  ),
  { maxLength: 6 },
).map(joined);

/** The header that bytes begin with, and what follows it. */
function headerOf(pieces: Iterable<Uint8Array>): unknown {
  const reader = new ProxyHeaderReader();
  let header: ReturnType<ProxyHeaderReader["push"]>;
  const rest: Uint8Array[] = [];
  try {
    for (const piece of pieces) {
      if (header !== undefined) rest.push(piece);
      else if ((header = reader.push(piece)) !== undefined) rest.push(header.rest);
    }
  } catch (error) {
    if (error instanceof ProxyProtocolError) return "refused";
    throw error;
  }
  if (header === undefined) return "not whole";
  const { version, ends, extensions } = header.header;
  if (ends !== undefined) {
    const again = new ProxyHeaderReader().push(formatProxyHeader(version, ends));
    assertEquals(again?.header.ends, ends);
  }
  return { version, ends, extensions, rest: joined(rest) };
}

const responses = nearly([
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.0 204\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 101 Switching\r\n",
  "HTTP/1.1 102 Processing\r\n\r\n".repeat(60),
  " folded\r\n",
  "X: a\r\n\t\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 5, 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "\r\n",
  "hello",
  "5\r\nhello\r\n",
  "0\r\n\r\n",
  "ffffffffffffffff\r\n",
]);

/** A response with its body in one piece. */
function responseOf(method: string, pieces: Iterable<Uint8Array>): unknown {
  const parser = new ResponseParser(method);
  const heads: unknown[] = [];
  let body = "";
  let ends = 0;
  const take = (
    events: Iterable<ResponseEvent>,
  ) => {
    for (const event of events) {
      if (event.type === "data") body += String.fromCharCode(...event.data);
      else if (event.type === "end") ends++;
      else heads.push({ ...event.head, headers: [...event.head.headers] });
    }
  };
  try {
    for (const piece of pieces) take(parser.push(piece));
    take(parser.end());
  } catch (error) {
    if (!(error instanceof HttpResponseError)) throw error;
    return { refused: error.message, heads, body };
  }
  assertEquals([heads.length, ends, parser.done], [1, 1, true]);
  return { heads, body };
}

function replyOf(pieces: Iterable<Uint8Array>): unknown {
  const reader = httpRequest("text", "host").readReply();
  const results: unknown[] = [];
  for (const piece of pieces) results.push(reader.push(piece));
  results.push(reader.end());
  return results.filter((result) => result !== undefined);
}

/** Every property of these. */
export const WIRE_PROPERTIES: Properties = {
  "PROXY headers parse the same in any pieces, and format the same again": run(
    fc.property(proxied, cuts, (bytes, sizes) => {
      const whole = headerOf([bytes.slice()]);
      const cut = headerOf(chunks(bytes, sizes));
      assertEquals(cut, whole);
    }),
  ),
  "length-prefixed frames decode the same in any pieces, and encode the same again": run(
    fc.property(
      fc.constantFrom(1 as const, 2 as const, 4 as const, "varint" as const),
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.array(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), { maxLength: 60 }),
      ),
      cuts,
      (prefix, given, sizes) => {
        const bytes = Uint8Array.from(given);
        const codec = lengthPrefixCodec({ prefix, maxFrame: 20 });
        const whole = decoded(codec, [bytes.slice()]);
        assertEquals(decoded(codec, chunks(bytes, sizes)), whole);
        const encoder = codec.encoder();
        for (const frame of whole.frames) encoder.push(frame);
        const written = encoder.take();
        assertEquals(written, bytes.slice(0, written.length));
        assertEquals(whole.error === undefined, written.length === bytes.length);
      },
    ),
  ),
  "HTTP responses parse the same in any pieces": run(
    fc.property(fc.constantFrom("GET", "HEAD"), responses, cuts, (method, bytes, sizes) => {
      assertEquals(responseOf(method, chunks(bytes, sizes)), responseOf(method, [bytes.slice()]));
    }),
  ),
  "a load test reads a response the same in any pieces": run(
    fc.property(responses, cuts, (bytes, sizes) => {
      assertEquals(replyOf(chunks(bytes, sizes)), replyOf([bytes.slice()]));
    }),
  ),
};

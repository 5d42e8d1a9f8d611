/** Properties of all code that reads untrusted bytes. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeFrame, encodeFrame, ProtocolError, verbOf } from "../../../protocol.ts";
import { filesCodec, uploadLength } from "../../../services/files/codec.ts";
import { formatPath, parsePath, PathError } from "../../../services/files/path.ts";
import { parseRequest, RequestError } from "../../../services/files/request.ts";
import { RequestParser } from "../../../http/request_parser.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { chunks, cuts, decoded, nearly, type Properties } from "./fuzz_bytes.ts";
import { CONTROL_PROPERTIES } from "./fuzz_control.ts";
import { FILES_PROPERTIES } from "./fuzz_files.ts";
import { HTTP_PROPERTIES } from "./fuzz_http.ts";
import { PEER_PROPERTIES } from "./fuzz_peers.ts";
import { WIRE_PROPERTIES } from "./fuzz_wire.ts";

const MAX_LINE = 16;
const lines = nearly([
  "a",
  "line",
  "\n",
  "\r\n",
  "\r",
  "\n\n",
  "x".repeat(MAX_LINE - 1),
  "x".repeat(MAX_LINE),
  "€",
  "😀",
  "\0",
]);

/** Lines by the textbook: all bytes at once, split at LF, each decoded. */
function textbookLines(bytes: Uint8Array): { frames: string[]; error: string | undefined } {
  const frames: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    const stop = end > start && bytes[end - 1] === 13 ? end - 1 : end;
    if (stop - start > MAX_LINE) return { frames, error: "line-too-long" };
    try {
      frames.push(
        new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, stop)),
      );
    } catch {
      return { frames, error: "invalid-utf8" };
    }
    start = end + 1;
  }
  const rest = bytes.length - start;
  const mayEndInCr = bytes.at(-1) === 13 ? 1 : 0;
  if (rest > MAX_LINE + mayEndInCr) return { frames, error: "line-too-long" };
  return { frames, error: rest > 0 ? "unterminated" : undefined };
}

const http = nearly([
  "GET / HTTP/1.1\r\n",
  "POST /items HTTP/1.1\r\n",
  "Host: a\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 6\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "\r\n",
  "\n",
  "hello",
  "5\r\nhello\r\n",
  "0\r\n\r\n",
  "0\r\nTrailer: x\r\n\r\n",
  "ffffffffffffffff\r\n",
  " folded\r\n",
]);

function parsedHttp(pieces: Iterable<Uint8Array>): { seen: string[]; status: number | undefined } {
  const parser = new RequestParser();
  const seen: string[] = [];
  let body = "";
  for (const piece of pieces) {
    const { events, error } = parser.push(piece);
    for (const event of events) {
      if (event.type === "body") {
        body += String.fromCharCode(...event.bytes);
        continue;
      }
      seen.push(body, event.type);
      body = "";
    }
    if (error !== undefined) return { seen: [...seen, body], status: error.status };
  }
  return { seen: [...seen, body], status: parser.end()?.status };
}

const filesLines = nearly([
  "list .\n",
  "get a 0\n",
  "put a 3 ",
  "put a/b 5\n",
  "hello",
  "\n",
  "..",
  "%2e%2e/",
  "-1",
  "9".repeat(20),
  " ",
]);

/** Every property. */
export const PROPERTIES: Properties = {
  ...WIRE_PROPERTIES,
  ...HTTP_PROPERTIES,
  ...PEER_PROPERTIES,
  ...FILES_PROPERTIES,
  ...CONTROL_PROPERTIES,
  "lines decode as a simple splitter does, in any pieces": (parameters) =>
    fc.assert(
      fc.property(lines, cuts, (bytes, sizes) => {
        const cut = decoded(lineCodec({ maxLine: MAX_LINE }), chunks(bytes, sizes));
        const whole = textbookLines(bytes);
        assertEquals(cut.frames, whole.frames.slice(0, cut.frames.length));
        // Cut into pieces, a line is refused as soon as it is too long; whole, its end is seen first.
        if (cut.error !== "line-too-long") assertEquals(cut, whole);
        else {assert(
            whole.error !== undefined || whole.frames.length > cut.frames.length || bytes.length > MAX_LINE,
          );}
      }),
      parameters as fc.Parameters<[Uint8Array, number[]]>,
    ),
  "a frame survives encoding, and every line either decodes or is rejected with a reason": (parameters) =>
    fc.assert(
      fc.property(
        fc.constantFrom("message", "ok", "error", "auth"),
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }),
        (verb, noise, units) => {
          const text = String.fromCharCode(...units);
          const frame = { verb: verb as "ok", text };
          const line = encodeFrame(frame);
          assert(!/[\n\r]/.test(line));
          assertEquals(decodeFrame(line), frame);
          assertEquals(new TextDecoder().decode(new TextEncoder().encode(line)), line); // survives UTF-8
          for (const hostile of [noise, `${verb} ${noise}`, `${verb}${noise}`]) {
            try {
              const decodedFrame = decodeFrame(hostile);
              assertEquals(encodeFrame(decodedFrame), hostile); // one spelling for each string
              assertEquals(verbOf(hostile), decodedFrame.verb);
            } catch (error) {
              if (!(error instanceof ProtocolError)) throw error;
            }
          }
        },
      ),
      parameters as fc.Parameters<[string, string, number[]]>,
    ),
  "HTTP requests parse the same in any pieces": (parameters) =>
    fc.assert(
      fc.property(http, cuts, (bytes, sizes) => {
        assertEquals(parsedHttp(chunks(bytes, sizes)), parsedHttp([bytes.slice()]));
      }),
      parameters as fc.Parameters<[Uint8Array, number[]]>,
    ),
  "file frames decode the same in any pieces": (parameters) =>
    fc.assert(
      fc.property(filesLines, cuts, (bytes, sizes) => {
        const flat = ({ frames, error }: { frames: (string | Uint8Array)[]; error: string | undefined }) => {
          const parts: string[] = [];
          let body = "";
          for (const frame of frames) {
            if (typeof frame === "string") {
              parts.push(body, frame);
              body = "";
            } else body += String.fromCharCode(...frame);
          }
          return { parts: [...parts, body], error };
        };
        const codec = filesCodec(uploadLength);
        assertEquals(flat(decoded(codec, chunks(bytes, sizes))), flat(decoded(codec, [bytes.slice()])));
      }),
      parameters as fc.Parameters<[Uint8Array, number[]]>,
    ),
  "a file path is below the root, or is rejected": (parameters) =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            "a",
            "..",
            ".",
            "/",
            "%2e",
            "%2f",
            "\\",
            "%5c",
            "%00",
            "%",
            "é",
            "%c3%a9",
            " ",
            "//",
          ),
          {
            maxLength: 12,
          },
        ),
        (pieces) => {
          const path = pieces.join("");
          for (const line of [`get ${path}`, `put ${path} 3`, `list ${path}`]) {
            try {
              parseRequest(line);
            } catch (error) {
              if (!(error instanceof RequestError || error instanceof PathError)) throw error;
            }
          }
          try {
            const names = parsePath(path);
            assert(
              names.every((name) => name !== ".." && name !== "." && name !== "" && !/[\\/\0]/.test(name)),
            );
            if (names.length > 0) assertEquals(parsePath(formatPath(names)), names);
          } catch (error) {
            if (!(error instanceof PathError)) throw error;
          }
        },
      ),
      parameters as fc.Parameters<[string[]]>,
    ),
};

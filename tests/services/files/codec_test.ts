import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { downloadLength, filesCodec, type FilesFrame, uploadLength } from "../../../services/files/codec.ts";
import { formatPath, parsePath, PathError } from "../../../services/files/path.ts";
import { parseRequest, RequestError } from "../../../services/files/request.ts";
import { pure } from "../../_util/permissions.ts";

const utf8 = new TextEncoder();

Deno.test("parsePath() returns the names of a path", pure, () => {
  assertEquals(parsePath("."), []);
  assertEquals(parsePath("a.txt"), ["a.txt"]);
  assertEquals(parsePath("a%20b/c%25d/%C3%A9"), ["a b", "c%d", "é"]);
  assertEquals(parsePath("..a/b../...."), ["..a", "b..", "...."]);
});

Deno.test("parsePath() throws for every spelling of a path that leaves the root", pure, () => {
  for (
    const path of [
      "..",
      "../x",
      "a/../../x",
      "a/..",
      "%2e%2e/x",
      "%2E./x",
      "a%2f..%2f..%2fx",
      "/etc/passwd",
      "%2fetc/passwd",
      "//x",
      "a//b",
      "a/",
      "",
      "./a",
      "a/./b",
      "..\\x",
      "a%5c..%5cx",
      "a%00.txt",
      "a\0",
      "a%0ab",
      "a%7f",
      "%",
      "%2",
      "%zz",
      "%c0%ae%c0%ae/x",
      "%ff",
      "a/.okline-partial-x",
      "x".repeat(256),
      "é".repeat(128),
      "a/".repeat(64) + "a",
    ]
  ) assertThrows(() => parsePath(path), PathError, undefined, path.slice(0, 40));
  // Decoded once: what is left then is a name like any other.
  assertEquals(parsePath("%252e%252e"), ["%2e%2e"]);
});

Deno.test("parsePath() returns names that cannot leave a directory, or throws", pure, () => {
  const part = fc.constantFrom("..", ".", "/", "\\", "%2e", "%2f", "%5c", "%00", "a", "%25", "%c3%a9", "%");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      let names: readonly string[] = [];
      try {
        names = parsePath(parts.join(""));
      } catch (error) {
        assertEquals(error instanceof PathError, true);
      }
      for (const name of names) assertEquals(/^\.{0,2}$|[/\\\0]/.test(name), false, JSON.stringify(name));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("formatPath() returns one word that parsePath() parses", pure, () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) =>
    !/^\.{1,2}$|[/\\]|(?![\u0080-\u009f])\p{Cc}/u.test(text)
  );
  fc.assert(fc.property(fc.array(name, { maxLength: 5 }), (names) => {
    const word = formatPath(names);
    assertEquals(/\s/.test(word), false);
    assertEquals(parsePath(word), names);
  }));
});

Deno.test("parseRequest() parses each request", pure, () => {
  assertEquals(parseRequest("LIST"), { type: "list", path: [] });
  assertEquals(parseRequest("LIST a/b"), { type: "list", path: ["a", "b"] });
  assertEquals(parseRequest("GET a"), { type: "get", path: ["a"], offset: 0 });
  assertEquals(parseRequest("GET a 1073741824"), { type: "get", path: ["a"], offset: 1073741824 });
  assertEquals(parseRequest("PUT a%20b 5"), { type: "put", path: ["a b"], size: 5, offset: 0 });
  assertEquals(parseRequest("PUT a 5 5"), { type: "put", path: ["a"], size: 5, offset: 5 });
  assertEquals(parseRequest("DELETE a"), { type: "delete", path: ["a"] });
  assertEquals(parseRequest("STAT ."), { type: "stat", path: [] });
  assertEquals(parseRequest("QUIT"), { type: "quit" });
});

Deno.test("parseRequest() throws when a request is invalid", pure, () => {
  for (
    const line of [
      "",
      "get a",
      "HELP",
      "toString",
      "GET",
      "GET  a",
      "GET a b",
      "GET a -1",
      "GET a 1 2",
      "GET a 1e3",
      "PUT a",
      "PUT a x",
      "PUT a 5 6",
      "PUT a 9999999999999999",
      "DELETE",
      "QUIT now",
      "LIST a b",
    ]
  ) assertThrows(() => parseRequest(line), RequestError, undefined, line);
  for (const line of ["GET ../x", "DELETE .", "PUT . 5", "LIST /"]) {
    assertThrows(() => parseRequest(line), PathError, undefined, line);
  }
});

Deno.test("uploadLength() and parseRequest() agree on every upload", pure, () => {
  const word = fc.constantFrom(
    "PUT",
    "PUT ",
    " ",
    "a",
    "a\u00a0b",
    "5",
    "05",
    "7",
    "\t",
    "x",
    "%20",
    "..",
    "-1",
    "1e1",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const line = words.join(" ");
      let request: ReturnType<typeof parseRequest>;
      try {
        request = parseRequest(line);
      } catch {
        return;
      }
      assertEquals(uploadLength(line), request.type === "put" ? request.size - request.offset : undefined);
    }),
    { numRuns: 3000 },
  );
  assertEquals(uploadLength("PUT a\u00a0b 9 2"), 7);
});

/** Decodes in pieces; bodies joined, so that the outcome does not depend on where they were cut. */
function decode(bytes: Uint8Array, size: number, bodyLength = uploadLength): (string | number[])[] {
  const decoder = filesCodec(bodyLength, { maxLine: 100 }).decoder();
  const joined: (string | number[])[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const reused = bytes.slice(at, at + size);
    const { frames, error } = decoder.push(reused);
    reused.fill(0xee);
    for (const frame of frames) {
      const last = joined.at(-1);
      if (typeof frame === "string") joined.push(frame);
      else if (Array.isArray(last)) last.push(...frame);
      else joined.push([...frame]);
    }
    if (error) return [...joined, `error ${error.code}`];
  }
  const error = decoder.end();
  return error ? [...joined, `error ${error.code}`] : joined;
}

Deno.test("filesCodec() separates lines and bodies, however the bytes are cut", pure, () => {
  const bytes = utf8.encode("STAT a\r\nPUT a 7\n12\n45\n7sha256 x\nPUT b 0\nPUT c 9 6\nxyzQUIT\n");
  const expected = [
    "STAT a",
    "PUT a 7",
    [...utf8.encode("12\n45\n7")],
    "sha256 x",
    "PUT b 0",
    "PUT c 9 6",
    [...utf8.encode("xyz")],
    "QUIT",
  ];
  for (let size = 1; size <= bytes.length; size++) assertEquals(decode(bytes, size), expected);
  assertEquals(decode(utf8.encode("body 3\nabcok\n"), 5, downloadLength), ["body 3", [97, 98, 99], "ok"]);
});

Deno.test("filesCodec() reports an end within a body or line, and a line over the limit", pure, () => {
  for (const size of [1, 4, 1000]) {
    assertEquals(decode(utf8.encode("PUT a 3\nab"), size).at(-1), "error unterminated");
    assertEquals(decode(utf8.encode("STAT a"), size).at(-1), "error unterminated");
    assertEquals(decode(utf8.encode(`PUT a 3\nabc${"x".repeat(101)}\n`), size).at(-1), "error line-too-long");
    assertEquals(decode(utf8.encode(`PUT a 3\nabc${"x".repeat(100)}\n`), size).at(-1), "x".repeat(100));
  }
});

Deno.test("filesCodec() sends lines and bytes in order", pure, () => {
  const encoder = filesCodec(downloadLength).encoder();
  const frames: FilesFrame[] = ["body 2", new Uint8Array([1, 10]), "é"];
  for (const frame of frames) encoder.push(frame);
  assertEquals(encoder.size, 12);
  assertEquals(encoder.take(), new Uint8Array([...utf8.encode("body 2\n"), 1, 10, ...utf8.encode("é\n")]));
  assertThrows(() => encoder.push("a\nb"), TypeError, "line feed");
});

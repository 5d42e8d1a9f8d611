import { assertEquals } from "@std/assert";
import { latin1, latin1Bytes, normalizePath } from "../../http/grammar.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("normalizePath() decodes only escapes of unreserved characters", pure, () => {
  const cases: readonly (readonly [path: string, normal: string])[] = [
    ["/%74ime", "/time"],
    ["/%54%49", "/TI"],
    ["/item%73/%31%32", "/items/12"],
    ["/%2d%2E%5F%7e", "/-._~"],
    ["/items%2F1", "/items%2F1"],
    ["/items%2f1", "/items%2f1"],
    ["/%25%37%34ime", "/%2574ime"],
    ["/a%20b%C3%A9%00", "/a%20b%C3%A9%00"],
    ["*", "*"],
  ];
  for (const [path, normal] of cases) assertEquals(normalizePath(path), normal, path);
});

Deno.test("latin1Bytes() returns the bytes that latin1() reads", pure, () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index % 256);
  assertEquals(latin1Bytes(latin1(bytes)), bytes);
});

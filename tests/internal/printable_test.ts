import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable, quoted } from "../../internal/printable.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("printable() escapes control characters", pure, () => {
  assertEquals(printable("a\nb\r\tc\0\x07\x7f"), "a\\nb\\r\\tc\\x00\\x07\\x7f");
  assertEquals(printable("\x1b[31mred\x9b1m"), "\\x1b[31mred\\x9b1m");
});

Deno.test("printable() escapes bidirectional, invisible, and line-ending characters", pure, () => {
  assertEquals(printable("\u202eevil\u2066\u200f"), "\\u{202e}evil\\u{2066}\\u{200f}");
  assertEquals(
    printable("a\u200bb\ufeffc\u00ad\u2028\u2029\u{e0041}"),
    "a\\u{200b}b\\u{feff}c\\xad\\u{2028}\\u{2029}\\u{e0041}",
  );
});

Deno.test("printable() escapes lone surrogates and backslashes", pure, () => {
  assertEquals(printable("\ud800x\\n"), "\\u{d800}x\\\\n");
});

Deno.test("printable() returns text of any language and emoji unchanged", pure, () => {
  const text = "Grüße, 世界, שלום, 👩‍👩‍👧‍👦 ❤️ ñ";
  assertEquals(printable(text), text);
});

Deno.test("printable() truncates at the limit between characters, and shows the length", pure, () => {
  assertEquals(printable("abc", 3), "abc");
  assertEquals(printable("abcd", 3), "abc… (4 characters)");
  assertEquals(printable("ab😀d", 3), "ab… (5 characters)");
  assertEquals(printable("ab😀de", 4), "ab😀… (6 characters)");
  assertEquals(printable("x".repeat(201)), `${"x".repeat(200)}… (201 characters)`);
});

Deno.test("printable() returns no control, format, or separator character", pure, () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?!\u200d)\p{Cf}/u.test(printable(text)));
  }));
});

Deno.test("printable() returns different results for different texts", pure, () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
    fc.pre(a !== b);
    assert(printable(a) !== printable(b));
  }));
  assert(printable("\n") !== printable("\\n"));
});

Deno.test("quoted() adds quotes, and truncates at 60 characters", pure, () => {
  assertEquals(quoted("a\n"), '"a\\n"');
  assertEquals(quoted("x".repeat(61)), `"${"x".repeat(60)}… (61 characters)"`);
});

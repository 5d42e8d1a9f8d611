import { assertEquals, assertThrows } from "@std/assert";
import { parseNumbers, rawNumber } from "../../internal/json_numbers.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseNumbers() converts each number from its text", pure, () => {
  const text = '{"a":[1.10,-0,1e999],"1":"2","b":12345678901234567890}';
  assertEquals(parseNumbers(text, (source) => `<${source}>`), {
    a: ["<1.10>", "<-0>", "<1e999>"],
    "1": "2",
    b: "<12345678901234567890>",
  });
  assertThrows(() => parseNumbers("01", Number), SyntaxError);
});

Deno.test("rawNumber() returns a value that is written as its text", pure, () => {
  const text = '{"a":[1.10,-0,1e999],"b":12345678901234567890}';
  assertEquals(JSON.stringify(parseNumbers(text, rawNumber)), text);
});

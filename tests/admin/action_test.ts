import { assertEquals, assertThrows } from "@std/assert";
import { parseFlag, parseInteger, plainAction } from "../../admin/action.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseInteger() accepts one notation for each integer in its range", pure, () => {
  const range = { min: 0, max: 1000 };
  for (const [text, value] of [["0", 0], ["7", 7], ["1000", 1000]] as const) {
    assertEquals(parseInteger(text, "limit", range), value);
  }
  for (const text of ["007", "00", "-0", "+1", "1e3", "1.0", " 1", "0x1", "", "1001", "९", "1".repeat(400)]) {
    assertThrows(
      () => parseInteger(text, "limit", range),
      RangeError,
      `Cannot use limit "${text.slice(0, 60)}`,
    );
  }
});

Deno.test("parseFlag() accepts only 0 and 1", pure, () => {
  const flag = (query: string) => parseFlag(new URLSearchParams(query), "wait");
  assertEquals([flag(""), flag("wait=0"), flag("wait=1")], [false, false, true]);
  for (const text of ["true", "01", "", "2"]) {
    assertThrows(
      () => flag(`wait=${text}`),
      RangeError,
      `Cannot use wait "${text}": expected 0 or 1`,
    );
  }
});

Deno.test("plainAction() answers 400 and does nothing when it gets a parameter", pure, async () => {
  let runs = 0;
  const act = plainAction(() => {
    runs++;
    return { body: {} };
  });
  assertEquals(await act(new URLSearchParams("id=1")), {
    status: 400,
    body: { error: 'Cannot use parameter "id": expected none' },
  });
  assertEquals(runs, 0);
  assertEquals(await act(new URLSearchParams()), { body: {} });
  assertEquals(runs, 1);
});

import { assertEquals } from "@std/assert";
import { plural } from "../../internal/plural.ts";
import { pure } from "../_util/permissions.ts";

Deno.test(
  "counted() uses the singular only for one",
  pure,
  () => {
    assertEquals([0, 1, 2].map((count) => plural(count, "byte")), ["0 bytes", "1 byte", "2 bytes"]);
    const reply = { one: "reply", many: "replies" };
    assertEquals([0, 1, 2].map((count) => plural(count, reply)), ["0 replies", "1 reply", "2 replies"]);
    assertEquals(plural(1000, "client", { format: (count) => `<${count}>` }), "<1000> clients");
  },
);

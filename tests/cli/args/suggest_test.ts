import { assertEquals } from "@std/assert";
import { nearest } from "../../../cli/args/suggest.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test(
  "nearest() returns the nearest word when letters are wrong, missing, added, or swapped",
  pure,
  () => {
    const known = ["port", "host", "max-line", "max-connections", "to"];
    const cases: [string, string | undefined][] = [
      ["port", "port"],
      ["prot", "port"],
      ["por", "port"],
      ["hosts", "host"],
      ["max-lime", "max-line"],
      ["maxconnection", "max-connections"],
      ["tp", "to"],
      ["x", undefined],
      ["frobnicate", undefined],
      ["", undefined],
    ];
    for (const [word, meant] of cases) assertEquals(nearest(word, known), meant, word);
  },
);

Deno.test("nearest() returns the nearer word in any order", pure, () => {
  assertEquals(nearest("clients", ["client", "clients"]), "clients");
  assertEquals(nearest("clients", ["clients", "client"]), "clients");
});

Deno.test("nearest() completes a prefix when it fits only one word", pure, () => {
  const known = ["ack-timeout", "max-line", "max-connections"];
  assertEquals(nearest("ack", known), "ack-timeout");
  assertEquals(nearest("max", known), undefined);
});

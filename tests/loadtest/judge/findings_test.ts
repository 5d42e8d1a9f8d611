import { assertEquals } from "@std/assert";
import { Findings, leadingFindings } from "../../../loadtest/judge/findings.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("leadingFindings() merges findings of a kind that differ only in numbers", pure, () => {
  const findings = new Findings();
  const lost = (client: number) =>
    `client ${client} (127.0.0.1:4000${client}), request 1 (echo): no reply within 500.${client} ms`;
  for (let client = 0; client < 1234; client++) findings.add("lost", () => lost(client));
  for (const text of ["b", "c", "a 1", "a 2", "d"]) findings.add("check", () => text);
  const { leading, others, uncounted } = leadingFindings(findings.list(["lost", "check"]));
  assertEquals(leading.map(({ text }) => text), [
    "Client 0 (127.0.0.1:40000), request 1 (echo): no reply within 500.0 ms (and 1,233 more like this)",
    "B",
    "C",
    "A 1 (and 1 more like this)",
  ]);
  // Every line is still there for a report.
  assertEquals(others.length, 19 + 1 + 2);
  assertEquals([others.at(-1)?.text, uncounted], ["D", 1]);
});

Deno.test(
  "leadingFindings() does not call findings alike that are only counted when the described ones differ",
  pure,
  () => {
    const findings = new Findings();
    for (let index = 0; index < 25; index++) findings.add("lost", () => "x".repeat(1 + index % 2));
    const { leading, others, uncounted } = leadingFindings(findings.list(["lost"]));
    assertEquals(leading.map(({ text }) => text), [
      "X (and at least 9 more like this)",
      "Xx (and at least 9 more like this)",
    ]);
    assertEquals([others.at(-1)?.text, uncounted], ["And 5 more like these", 5]);
  },
);

Deno.test("Findings describes as many of a kind as its limit says, also of another ledger's", pure, () => {
  const all = new Findings(Infinity);
  const ten = new Findings(10);
  const some = new Findings();
  for (let index = 0; index < 30; index++) {
    for (const each of [all, ten, some]) {
      each.add("lost", () => `x${index}`);
    }
  }
  assertEquals(all.list(["lost"]).length, 30);
  assertEquals([ten.list(["lost"]).length, ten.list(["lost"]).at(-1)?.text], [11, "And 20 more like these"]);
  assertEquals(some.list(["lost"]).length, 21);
  const full = new Findings();
  const least = new Findings(1);
  for (let index = 0; index < 20; index++) full.add("lost", () => `x${index}`);
  least.add("lost", () => "x");
  assertEquals([full.list(["lost"]).at(-1)?.text, least.list(["lost"]).length], ["X19", 1]);
  const joined = new Findings(Infinity);
  joined.absorb(all.snapshot());
  joined.absorb(all.snapshot());
  assertEquals([joined.list(["lost"]).length, joined.count("lost")], [60, 60]);
});

import { assertEquals } from "@std/assert";
import { findingLines } from "../../../cli/loadtest/finding_lines.ts";
import type { Finding } from "../../../loadtest/judge/findings.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("findingLines() shows the first findings of a kind, and says where the others are", pure, () => {
  const lines = (texts: readonly string[]): string[] =>
    findingLines({ findings: texts.map((text): Finding => ({ kind: "lost", text })) }, { where: "--json" });
  assertEquals(lines([]), []);
  assertEquals(lines(["Message 1"]), ["  Message 1"]);
  assertEquals(lines(["Message 1", "Message 2"]), [
    "  Message 1 (and 1 more like this)",
    "  Each of these: see --json",
  ]);
  assertEquals(lines(["a", "b", "c", "d"]).at(-1), "  1 more line like these: see --json");
  assertEquals(lines(["a", "b", "c", "d", "e", "And 1200 more like these"]), [
    "  a",
    "  b",
    "  c",
    "  1,202 more lines like these: see --json, with up to 20 of each kind",
  ]);
  // Those that are only counted may be like either.
  assertEquals(lines(["Message 1", "Message 2", "a", "And 40 more like these"]), [
    "  Message 1 (and at least 1 more like this)",
    "  a",
    "  40 more lines like these: see --json, with up to 20 of each kind",
  ]);
});

Deno.test("findingLines() puts findings that follow from the cause below a heading", pure, () => {
  const lost = [1, 2].map((client): Finding => ({ kind: "lost", text: `Message ${client}`, follows: true }));
  const died: Finding = { kind: "died", text: "The server ended" };
  const wrong: Finding = { kind: "wrong", text: "Client 3 got nonsense" };
  const findings = [died, wrong, ...lost];
  const cause = { text: "The server ended, 3s after the start" };
  assertEquals(findingLines({ findings, cause }, { where: "--json" }), [
    "  Client 3 got nonsense",
    "  Follows from this:",
    "    Message 1 (and 1 more like this)",
    "  Each of these: see --json",
  ]);
});

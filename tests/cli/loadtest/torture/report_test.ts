import { assertEquals } from "@std/assert";
import { tortureReport } from "../../../../cli/loadtest/torture/report.ts";
import type { TortureResult } from "../../../../loadtest/torture/torture.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("tortureReport() begins with the verdict and what it counts", pure, () => {
  const result: TortureResult = { name: "NUL", ms: 1, probeMs: 1, saw: "" };
  const headline = (results: readonly TortureResult[], faults: readonly string[] = []) =>
    tortureReport({ results, before: undefined, faults }).split("\n", 1)[0];
  assertEquals(headline([result]), "SURVIVED: 1 case; the server served an honest peer after each");
  assertEquals(
    headline([result, { ...result, unjudged: "answers differ" }]),
    "SURVIVED: 2 cases, 1 not judged; the server served an honest peer after each",
  );
  assertEquals(
    headline([result, { ...result, fault: "no answer" }], ["Left in the server: timers 1"]),
    "FAILED: 1 of 2 cases failed, and 1 fault after the cases",
  );
});

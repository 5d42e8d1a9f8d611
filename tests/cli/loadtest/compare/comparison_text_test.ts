import { assert, assertEquals } from "@std/assert";
import { comparisonMarkdown, comparisonText } from "../../../../cli/loadtest/compare/comparison_text.ts";
import { compareRuns, type SummaryRecord } from "../../../../loadtest/metrics/comparison.ts";
import { pure } from "../../../_util/permissions.ts";

/** A run whose relay took `ms` for half of the messages. */
function run(ms: number, counts: SummaryRecord = {}): SummaryRecord {
  return {
    verdict: "proven",
    clients: 10,
    resent: 0,
    ...counts,
    latency: { relay: { p50: ms } },
    confidence: { latency: { relay: { p50: [ms - 0.5, ms + 0.5] } } },
  };
}

Deno.test("comparisonText() lists each change and its size", pure, () => {
  const text = comparisonText(compareRuns([run(10)], [run(12.5, { resent: 3 })]));
  const [outcome, remark, , , head, , resent, latency] = text.split("\n");
  assertEquals(outcome, "Not known to be worse");
  assert(remark?.startsWith("  The variation between runs is unknown"));
  const cells = (line = "") => line.split("│").map((cell) => cell.trim()).filter(Boolean);
  assertEquals(cells(head), ["metric", "before", "after", "change", "judged"]);
  assertEquals(cells(resent), ["resent", "0", "3", "from 0", "noise"]);
  assertEquals(cells(latency), ["latency.relay.p50", "10ms", "12.5ms", "+25%", "maybe worse"]);
});

Deno.test("comparisonMarkdown() returns a table with the conclusion above it", pure, () => {
  const lines = comparisonMarkdown(compareRuns([run(10)], [run(10, { lost: 1 })])).split("\n");
  assertEquals(lines[0], "**Not worse**");
  const worse = comparisonMarkdown(compareRuns([run(10, { lost: 0 })], [run(12.5, { lost: 1 })])).split("\n");
  assertEquals(worse[0], "**Worse**");
  assert(worse[2]?.startsWith("- The variation between runs is unknown"));
  assertEquals(worse.slice(4, 8), [
    "| metric | before | after | change | judged |",
    "| --- | ---: | ---: | ---: | --- |",
    "| lost | 0 | 1 | from 0 | worse |",
    "| latency.relay.p50 | 10ms | 12.5ms | +25% | maybe worse |",
  ]);
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { type CapacityReportInput, renderCapacityReport } from "../../../loadtest/capacity/report.ts";

const REPORT: CapacityReportInput = {
  answer: "The server holds 320 messages/s",
  ending: "server",
  levels: [
    { rate: 340, result: "failed", why: "1 lost", confirms: false, perSecond: 339, p50: 1, p99: 2 },
    { rate: 320, result: "held", why: "", confirms: true, perSecond: 320, p50: 1, p99: 2 },
  ],
  unit: "messages",
  args: ["capacity", "echo.ts"],
};

Deno.test("renderCapacityReport() shows the answer, and a doubt about it if there is one", () => {
  const doubt =
    "The failures may not depend on the rate: 340 messages/s failed, although 625 messages/s held";
  const page = renderCapacityReport({ ...REPORT, doubt });
  assertStringIncludes(page, "<p>The server holds 320 messages/s.</p>");
  assertStringIncludes(page, `<p>${doubt}.</p>`);
  assertEquals(renderCapacityReport(REPORT).includes("may not depend"), false);
  const early = "The rate is not the reason";
  assertStringIncludes(renderCapacityReport({ ...REPORT, early }), `<p>${early}.</p>`);
});

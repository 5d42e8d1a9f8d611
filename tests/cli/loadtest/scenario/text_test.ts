import { assertEquals } from "@std/assert";
import { scenarioText } from "../../../../cli/loadtest/scenario/text.ts";
import { scenarioSummary } from "../../../_util/loadtest/scenario_summary.ts";
import { pure } from "../../../_util/permissions.ts";

Deno.test("scenarioText() shows a table of the steps only when there are steps", pure, async () => {
  const { scenario } = await scenarioSummary();
  assertEquals(scenarioText(scenario!).includes("step, ms"), true);
  assertEquals(scenarioText({ ...scenario!, steps: [] }).includes("step, ms"), false);
});

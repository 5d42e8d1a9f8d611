import { assertRejects } from "@std/assert";
import { importScenario } from "../../../loadtest/scenario/import_scenario.ts";
import { ScenarioError } from "../../../loadtest/mod.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("importScenario() says on one line what is wrong with a module, and where", pure, async () => {
  const cases: [string, string][] = [
    [
      `import "data:text/javascript,throw new Error('boom')";`,
      "Cannot load echo.ts: it threw Error: boom",
    ],
    ["export default {", "Cannot load echo.ts: SyntaxError: "],
    [
      "export const a = 1;",
      'Cannot run echo.ts: expected "export default scenario({ … })", got no default export',
    ],
    [
      'export default { okline: "scenario", session() {} };',
      "Cannot run echo.ts: Cannot use the scenario: expected a codec, such as lineCodec()",
    ],
  ];
  for (const [source, message] of cases) {
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    const error = await assertRejects(() => importScenario(url, "echo.ts"), ScenarioError, message);
    if (error.message.includes("\n")) throw new Error(error.message);
  }
});

/** Accessibility checks of a page with axe. */
import axeScript from "axe-core/axe.min.js" with { type: "text" };
import type { Page } from "puppeteer-core";

/** Returns the violations that axe finds, one per line. The debugger injects it, because the page's policy forbids it. */
export async function axeViolations(page: Page): Promise<unknown> {
  await page.evaluate(axeScript);
  return await page.evaluate(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))`);
}

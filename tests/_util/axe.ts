/** Accessibility of a page, as axe sees it. */
import axeScript from "axe-core/axe.min.js" with { type: "text" };
import type { Page } from "puppeteer-core";

/** Returns what axe finds wrong, in a line each. Injected by the debugger, which the page's policy does not bind. */
export async function axeViolations(page: Page): Promise<unknown> {
  await page.evaluate(axeScript);
  return await page.evaluate(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))`);
}

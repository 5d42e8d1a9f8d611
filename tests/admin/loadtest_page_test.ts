import { assert, assertEquals } from "@std/assert";
import { type AdminServer, LoadTestMonitor, startAdmin } from "../../admin/mod.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import { RunControl } from "../../loadtest/pace/run_control.ts";
import { formatAddress } from "../../socket/network.ts";
import { axeViolations } from "../_util/browser/axe.ts";
import { chromium, type OpenPage, type PageView, withServedPage } from "../_util/browser/browser.ts";

/** Opens the page of a load test that is 5 s into its first stage. */
async function withLoadTestPage(
  use: (
    open: OpenPage & {
      readonly monitor: LoadTestMonitor;
      readonly control: RunControl;
      readonly admin: AdminServer;
    },
  ) => Promise<void>,
  view: PageView = {},
): Promise<void> {
  const control = new RunControl();
  using monitor = new LoadTestMonitor({ version: "1.2.3", clients: 1000, control, stop: () => {} });
  control.begin({
    stages: [
      { label: "10s:0→500/s", begin: 0, duration: 10_000, from: 0, to: 500 },
      { label: "Last replies", begin: 10_000, duration: null },
    ],
    now: () => 5000,
    apply: () => {},
  });
  const latency = new LatencyHistogram();
  for (const ms of [1, 2, 3, 40]) latency.record(ms);
  monitor.update({
    clients: 1000,
    started: 250,
    refused: { count: 0, why: "" },
    acknowledged: 240,
    open: 10,
    resent: 0,
    finished: 240,
    elapsed: 5000,
    left: 15_000,
    lag: 3,
    latency: latency.encode(),
    soFar: { verdict: "failed", findings: [{ kind: "unexpected", text: "Client 1 got <b>an ok</b>" }] },
    warnings: [],
    pace: control.state,
  });
  await using admin = await startAdmin({
    address: { hostname: "127.0.0.1", port: 0 },
    target: monitor.target,
    onError: (error) => {
      throw error;
    },
  });
  await withServedPage(
    `http://${formatAddress(admin.address)}/`,
    (open) => use({ ...open, monitor, control, admin }),
    view,
  );
}

const ignore = chromium === undefined;
const text = (id: string) => `document.getElementById("${id}").textContent`;

Deno.test({
  name: "the page of a load test shows stages, the verdict so far, and findings as they come",
  ignore,
  fn: async () => {
    await withLoadTestPage(async ({ page, complaints, monitor }) => {
      await page.waitForFunction(`${text("status")} === "Running, failed already"`);
      await page.waitForFunction(`${text("findings")} === "Client 1 got <b>an ok</b>"`);
      assertEquals(
        await page.evaluate(
          `[...document.querySelectorAll("#stages li")].map((item) => [item.textContent, item.lastChild.value])`,
        ),
        [["10s:0→500/s", 0.5], ["Last replies", 0]],
      );
      monitor.judged("failed", ["2 messages were lost"]);
      await page.waitForFunction(
        `${text("status")} === "Failed" && ${text("findings")} === "2 messages were lost"`,
      );
      assertEquals(
        await page.evaluate(
          `[...document.querySelectorAll("#controls button")].map(({ disabled }) => disabled)`,
        ),
        [true, true],
      );
      assertEquals(complaints, []);
    });
  },
});

Deno.test({
  name: "the page of a load test keeps the verdict when the load test has ended",
  ignore,
  fn: async () => {
    await withLoadTestPage(async ({ page, monitor, admin }) => {
      await page.waitForFunction(`${text("status")} === "Running, failed already"`);
      monitor.judged("proven", []);
      await page.waitForFunction(`${text("status")} === "Proven"`);
      // By then, the page has noticed that the connection has ended, and tries to connect again.
      const noticed = new Promise((resolve) => page.once("requestfailed", resolve));
      await admin.close();
      await noticed;
      assertEquals(await page.evaluate(text("status")), "Proven");
    });
  },
});

Deno.test({
  name: "the page of a load test pauses, resumes, and changes the speed by keyboard",
  ignore,
  fn: async () => {
    await withLoadTestPage(async ({ page, control }) => {
      await page.waitForFunction(`document.querySelector('button[data-action="pause"]')?.disabled === false`);
      await page.focus(`button[data-action="pause"]`);
      await page.keyboard.press("Enter");
      await page.waitForFunction(`document.querySelector('button[data-action="resume"]') !== null`);
      assertEquals(control.state?.paused, true);
      await page.keyboard.press("Enter");
      await page.waitForFunction(`document.querySelector('button[data-action="pause"]') !== null`);
      assertEquals(control.state?.paused, false);
      await page.focus("#speed");
      await page.keyboard.press("ArrowDown");
      await page.waitForFunction(`${text("said")} === "Speed × 2: done"`);
      assertEquals(control.state?.speed, 2);
    });
  },
});

for (const scheme of ["light", "dark"] as const) {
  Deno.test({
    name:
      `the page of a load test has no accessibility violation that axe finds, and fits a phone, in ${scheme}`,
    ignore,
    fn: async () => {
      await withLoadTestPage(async ({ page, control, monitor }) => {
        await page.waitForFunction(`document.querySelectorAll(".chart canvas").length === 4`);
        await page.waitForFunction(`document.querySelectorAll("#findings li").length === 1`);
        assertEquals(await axeViolations(page), []);
        control.pause();
        await page.waitForFunction(`${text("status")} === "Paused, failed already"`);
        await page.locator(`button[data-action="stop"]`).click();
        await page.waitForFunction(`document.getElementById("confirm").open`);
        assertEquals(await axeViolations(page), []);
        await page.keyboard.press("Escape");
        await page.setViewport({ width: 360, height: 740 });
        const [needed, width] = await page.evaluate(
          `[document.documentElement.scrollWidth, innerWidth]`,
        ) as number[];
        assert(needed! <= width!, `${needed} of ${width}`);
        assertEquals(await axeViolations(page), []);
        monitor.judged("proven", []);
        await page.waitForFunction(`${text("status")} === "Proven"`);
        assertEquals(await axeViolations(page), []);
      }, { scheme });
    },
  });
}

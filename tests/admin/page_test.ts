import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { connect } from "../../socket/connect.ts";
import { formatAddress } from "../../socket/network.ts";
import { axeViolations } from "../_util/browser/axe.ts";
import { chromium, withServedPage } from "../_util/browser/browser.ts";
import { startWatchedRelay } from "../_util/admin/admin_target.ts";

const ignore = chromium === undefined;

/** Waits until a function of the page gives true. */
async function until(page: Page, holds: string): Promise<void> {
  await page.waitForFunction(holds);
}

const tile = (label: string) =>
  `[...document.querySelectorAll("#tiles > div")].find((pair) => pair.firstChild.textContent === "${label}")` +
  `?.lastChild.textContent`;

Deno.test({
  name: "the admin page follows a relay, closes a connection, suspends, and drains",
  ignore,
  fn: async () => {
    await using watched = await startWatchedRelay({ relay: { random: () => 0 } });
    const { admin, relay } = watched;
    await withServedPage(`http://${formatAddress(admin.address)}/`, async ({ page, complaints }) => {
      await until(page, `document.title === "relay · okline"`);
      await until(page, `document.getElementById("status").textContent === "Ready"`);
      await using first = await connect({ port: relay.port });
      await relay.until(({ active }) => active === 1);
      await using second = await connect({ port: relay.port });
      await relay.until(({ active }) => active === 2);
      second.send("message hello");
      await until(page, `${tile("Connections")} === "2" && ${tile("Pending")} === "1"`);
      first.send("ok hello");
      await until(page, `${tile("Pending")} === "0" && ${tile("Received")} !== "–"`);
      await until(page, `document.querySelectorAll(".chart canvas").length === 5`);

      await until(page, `document.querySelectorAll("#rows tr").length === 2`);
      await page.type("#address", `:${second.local.port}`);
      await until(page, `document.querySelectorAll("#rows tr").length === 1`);
      const heard = Array.fromAsync(second);
      await page.locator(`button[aria-label="Close connection 2"]`).click();
      assertEquals(await heard, ["ok hello", "error closed by the operator"]);
      await until(page, `document.getElementById("page-of").textContent === "No open connections"`);
      await page.select("#state", "closed");
      await until(
        page,
        `document.getElementById("rows").textContent.includes("local: closed by the operator")`,
      );

      await page.locator(`button[data-action="suspend"]`).click();
      await until(page, `document.getElementById("status").textContent === "Suspended"`);
      assertEquals(relay.stats().suspended, true);
      await page.locator(`button[data-action="resume"]`).click();
      await until(page, `document.getElementById("status").textContent === "Ready"`);

      await page.locator(`button[data-action="drain"]`).click();
      await until(page, `document.getElementById("confirm").open`);
      await page.keyboard.press("Escape");
      assertEquals(relay.stats().connections, 1);
      await page.locator(`button[data-action="drain"]`).click();
      const ended = first.close();
      await page.locator("#confirm-yes").click();
      await relay.finished;
      assertEquals((await ended).type, "natural");
      await until(page, `document.getElementById("status").textContent === "Draining"`);
      assertEquals(complaints, []);
    });
    assertEquals(watched.errors, []);
  },
});

Deno.test({
  name: "the admin page sorts its table by keyboard, and says so to screen readers",
  ignore,
  fn: async () => {
    await using watched = await startWatchedRelay();
    const { admin, relay } = watched;
    await using _first = await connect({ port: relay.port });
    await using _second = await connect({ port: relay.port });
    await relay.until(({ connections }) => connections === 2);
    await withServedPage(`http://${formatAddress(admin.address)}/`, async ({ page }) => {
      await until(page, `document.querySelectorAll("#rows tr").length === 2`);
      assertEquals(
        await page.evaluate(`document.getElementById("rows").firstChild.firstChild.textContent`),
        "1",
      );
      await page.focus(`th[data-sort="id"] button`);
      await page.keyboard.press("Enter");
      await until(page, `document.querySelector('th[data-sort="id"]').ariaSort === "descending"`);
      assertEquals(
        await page.evaluate(`document.getElementById("rows").firstChild.firstChild.textContent`),
        "2",
      );
    });
  },
});

/** For each column that is not sorted by, the px between its heading and its first value, on the aligned side. */
const MISALIGNED = `[...document.querySelectorAll("thead th[data-sort]:not([aria-sort])")].map((heading) => {
  const value = document.querySelector("#rows tr").children[heading.cellIndex];
  const side = getComputedStyle(value).textAlign === "right" ? "right" : "left";
  const edge = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect()[side];
  };
  return Math.abs(edge(heading.querySelector("button").firstChild) - edge(value));
})`;

Deno.test({
  name: "the admin page aligns the headings of its table with the values",
  ignore,
  fn: async () => {
    await using watched = await startWatchedRelay();
    const { admin, relay } = watched;
    await using _client = await connect({ port: relay.port });
    await relay.until(({ connections }) => connections === 1);
    await withServedPage(`http://${formatAddress(admin.address)}/`, async ({ page }) => {
      await until(page, `document.querySelectorAll("#rows tr").length === 1`);
      const offsets = await page.evaluate(MISALIGNED) as number[];
      assert(offsets.length > 5 && offsets.every((offset) => offset < 1), `${offsets}`);
    });
  },
});

Deno.test({
  name: "the admin page asks for the token when the server needs it",
  ignore,
  fn: async () => {
    await using watched = await startWatchedRelay({ token: "s3cret" });
    await withServedPage(`http://${formatAddress(watched.admin.address)}/`, async ({ page }) => {
      await page.locator(`button[data-action="suspend"]`).click();
      for (const token of ["wrong", "s3cret"]) {
        await until(page, `document.getElementById("confirm").open`);
        await page.type("#token", token);
        await page.keyboard.press("Enter");
        if (token === "wrong") await until(page, `document.getElementById("token").value === ""`);
      }
      await until(page, `document.getElementById("status").textContent === "Suspended"`);
      assertEquals(watched.relay.stats().suspended, true);
    });
  },
});

for (const scheme of ["light", "dark"] as const) {
  Deno.test({
    name: `the admin page has no accessibility violation that axe finds, and fits a phone, in ${scheme}`,
    ignore,
    fn: async () => {
      await using watched = await startWatchedRelay();
      await using _client = await connect({ port: watched.relay.port });
      await withServedPage(`http://${formatAddress(watched.admin.address)}/`, async ({ page }) => {
        await until(page, `document.querySelectorAll(".chart canvas").length === 5`);
        await until(page, `document.querySelectorAll("#rows tr").length === 1`);
        assertEquals(await axeViolations(page), []);
        await page.locator(`button[data-action="drain"]`).click();
        await until(page, `document.getElementById("confirm").open`);
        assertEquals(await axeViolations(page), []);
        await page.keyboard.press("Escape");
        await page.setViewport({ width: 360, height: 740 });
        const [needed, width] = await page.evaluate(
          `[document.documentElement.scrollWidth, innerWidth]`,
        ) as number[];
        assert(needed! <= width!, `${needed} of ${width}`);
        assertEquals(await axeViolations(page), []);
      }, { scheme });
    },
  });
}

import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { html, jsonScript } from "../../../loadtest/report/html.ts";
import { renderReport } from "../../../loadtest/report/mod.ts";
import { formatMs, significant } from "../../../loadtest/report/number.ts";
import { chromium, withPage } from "../../_util/browser/browser.ts";
import { addressOf, goodRun, SERVER } from "../../_util/loadtest/run_events.ts";
import { reportOf } from "../../_util/loadtest/run_summary.ts";
import { scenarioRun } from "../../_util/loadtest/scenario_summary.ts";
import { pure } from "../../_util/permissions.ts";

const inChromium = { ignore: chromium === undefined };

const HOSTILE =
  `</script><script>document.title="taken"</script><img src=x onerror="document.title='taken'">`;

/** A run with a client that is reset and sends again, a fault, and an ok nobody had asked for. */
function troubledRun(): HistoryEvent[] {
  const client = 3;
  return goodRun(40, { faults: true }).flatMap((event): HistoryEvent[] => {
    if (event.event !== "ack" || event.client !== client) return [event];
    const { at } = event;
    const local = addressOf(client + 100);
    return [
      { event: "fault", at, kind: "reset", client },
      { event: "close", client, at, reason: "reset" },
      { event: "connect", client, at: at + 30, took: 2, local, remote: SERVER },
      { event: "send", client, at: at + 30 },
      { event: "receive", client, at: at + 31, message: client },
      { event: "ack", client, at: at + 40, message: client },
      { event: "ack", client, at: at + 40, message: HOSTILE },
    ];
  });
}

Deno.test("html`` escapes every value that is not markup", pure, () => {
  const text = `<b a="1" c='2'>&</b>`;
  assertEquals(html`<p title="${text}">${[text, 1]}</p>`.markup.includes("<b"), false);
  assertEquals(html`<p>${html`<i>x</i>`}${[html`<b>`, "<"]}</p>`.markup, "<p><i>x</i><b>&lt;</p>");
  assertEquals(html`${"\u202etxet"}`.markup, "\\u{202e}txet");
});

Deno.test("jsonScript() contains nothing that ends the script, and parses to the same value", pure, () => {
  const { markup } = jsonScript({ text: HOSTILE });
  assertFalse(markup.includes("<"));
  assertEquals(JSON.parse(markup), { text: HOSTILE });
});

Deno.test("formatMs() returns three digits in ms or s", pure, () => {
  const written = [0, 0.0042, 0.42, 8.314, 12.345, 512.4, 999.4, 999.6, 61_234, null].map(formatMs);
  const expected = "0 ms,0.004 ms,0.42 ms,8.31 ms,12.3 ms,512 ms,999 ms,1 s,61.2 s,–";
  assertEquals(written.join(), expected);
  assertEquals(significant(12_345.6), "12,346");
});

Deno.test("renderReport() shows the verdict first, then findings, and how to run it again", () => {
  const failed = goodRun(40).filter((event) => !(event.event === "ack" && event.client === 7));
  const page = reportOf(failed, { command: "deno run -A loadtest.ts --payload 'file:<x>'" });
  const at = (text: string): number => {
    assertStringIncludes(page, text);
    return page.indexOf(text);
  };
  const order = [
    at("<h1>Failed</h1>"),
    at("1 lost; 39 of 40 messages acknowledged."),
    at("<li>Message 7 of client 7"),
    at('<h3 id="percentiles-title">'),
    at("--payload &#39;file:&lt;x>&#39;</code>"),
    at("&quot;verdict&quot;: &quot;failed&quot;"),
  ];
  assertEquals(order, order.toSorted((a, b) => a - b));
});

Deno.test("renderReport() shows the likely cause first, and what follows from it apart", pure, () => {
  const events = goodRun(4).map((event): HistoryEvent =>
    event.event === "stop" ? { ...event, why: "died" } : event
  ).filter((event) => event.event !== "server" && !(event.event === "ack" && event.client === 3));
  const death = { event: "died", at: 100, process: "server", detail: "exit code 3" } as const;
  const page = reportOf([...events, death]);
  const [header = ""] = /<header.*?<\/header>/s.exec(page) ?? [];
  const order = [
    "<h1>Failed</h1>",
    "<p>The server ended before the run did: exit code 3, 100ms after the start.</p>",
    '<p class="counted">1 process ended early, state of the server not reported, 1 lost; 3 of 4 messages',
    "<h2>Follows from this</h2>",
    "<li>The server did not report its state after the run</li>",
    "<li>Message 3 of client 3",
  ].map((text) => {
    assertStringIncludes(header, text);
    return header.indexOf(text);
  });
  assertEquals(order, order.toSorted((a, b) => a - b));
  assertEquals(header.split("exit code 3").length - 1, 1);
});

Deno.test("renderReport() does not claim natural ends when faults caused others", () => {
  assertStringIncludes(
    reportOf(goodRun(40)),
    "acknowledged, every connection closed naturally, and the server",
  );
  const excused = troubledRun().filter((event) => !(event.event === "ack" && event.message === HOSTILE));
  assertStringIncludes(
    reportOf(excused),
    "acknowledged, despite the injected faults, and the server",
  );
});

Deno.test("renderReport() shows the lag limit of the generator", () => {
  for (const [run, bound, says] of [[{}, "100ms", "100 ms"], [{ maxLag: 2000 }, "2s", "2 s"]] as const) {
    const page = reportOf(goodRun(40, run));
    assertStringIncludes(page, `the run is invalid beyond ${says}.`);
    assertMatch(page, new RegExp(`Lag of the generator</th>\\s*<td>at most ${bound}</td>`));
    assertStringIncludes(page, `&quot;maxLagMs&quot;: ${run.maxLag ?? 100}`);
  }
});

Deno.test("renderReport() shows thresholds, and a note when there is nothing to draw", () => {
  const page = reportOf(goodRun(40), { thresholds: ["p50<1ms"], replyDelay: { type: "none" } });
  assertStringIncludes(page, "<h1>Threshold</h1>");
  assertStringIncludes(page, "Threshold p50&lt;1ms: 19ms, which does not hold");
  assertStringIncludes(page, "No reply delay was asked for. 40 messages were answered after 10 ms");
  assertStringIncludes(page, "None: no message was sent or delivered twice");
  const silent = reportOf(goodRun(40).filter(({ event }) => event !== "ack"));
  assertStringIncludes(silent, "No message was acknowledged");
});

Deno.test("renderReport() names the scenario file in its title, header, and configuration", pure, () => {
  const page = reportOf(goodRun(4, { protocol: "scenario", scenario: "load/<echo>.ts" }));
  assertStringIncludes(page, "<title>Failed: load/&lt;echo>.ts, 4 clients, seed 1</title>");
  const [header = ""] = /<header.*?<\/header>/s.exec(page) ?? [];
  assertStringIncludes(header, "Scenario load/&lt;echo>.ts");
  assertMatch(page, /Scenario<\/th>\s*<td>load\/&lt;echo>\.ts<\/td>/);
  assertEquals(reportOf(goodRun(4)).includes("Scenario"), false);
});

Deno.test("renderReport() has a thinned table for each chart, and loads nothing from elsewhere", () => {
  const page = reportOf(goodRun(2000));
  const count = (pattern: RegExp): number => [...page.matchAll(pattern)].length;
  assertEquals(count(/<div class="plot"/g), 7);
  assertEquals(count(/<details class="data">/g), 7);
  assert(count(/<tr>/g) < 400, "tables are thinned out");
  assert(page.length < 300_000, `the page has ${page.length} characters`);
  assertFalse(/(src|href)=/.test(page.replaceAll(/<script>.*?<\/script>/gs, "")));
  assertMatch(page, /default-src 'none'; style-src ('sha256-[^']+' ?)+; script-src ('sha256-[^']+' ?)+;/);
});

/** For each chart, how many of its series have their color on the canvas; the legend is outside of it. */
const DRAWN = `JSON.parse(document.getElementById("charts").textContent).map(({ id, series }) => {
  const canvas = document.querySelector("#" + id + " canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 60) colors.add([data[i], data[i + 1], data[i + 2]].join());
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const seen = series.filter(({ color }) => {
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--series-" + color);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    return [...colors].some((one) => {
      const [x, y, z] = one.split(",").map(Number);
      return Math.abs(x - r) + Math.abs(y - g) + Math.abs(z - b) < 12;
    });
  });
  return { id, series: series.length, seen: seen.length };
})`;

Deno.test(
  "renderReport() draws every chart in Chromium, light and dark, without an error",
  inChromium,
  async () => {
    await withPage(reportOf(troubledRun()), async ({ page, complaints }) => {
      for (const value of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        // Two frames on, what the change of the colors led to is on the canvas.
        await page.evaluate(
          "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
        );
        const drawn = await page.evaluate(DRAWN) as { id: string; series: number; seen: number }[];
        assertEquals(drawn.map(({ id }) => id), [
          "percentiles",
          "histogram",
          "open",
          "rates",
          "latency",
          "holds",
          "trouble",
          "lag",
        ]);
        for (const { id, seen, series } of drawn) {
          assert(
            id === "trouble" ? seen === series : seen > 0,
            `${id} shows ${seen} of ${series} series in ${value}`,
          );
        }
      }
      assertEquals(complaints, []);
    });
  },
);

/** Draws the percentile chart anew in the width of a phone, and returns where its percentiles are written. */
const PERCENTILE_LABELS = `(() => {
  const labels = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, ...more) {
    if (this.canvas.closest("#percentiles") && text.endsWith("%")) {
      labels.push({ text, center: this.getTransform().e + x, width: this.measureText(text).width });
    }
    return fillText.call(this, text, x, ...more);
  };
  drawAgain(240);
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(labels))));
})()`;

Deno.test("renderReport() has percentiles that do not overlap on a narrow axis", inChromium, async () => {
  await withPage(reportOf(goodRun(400)), async ({ page }) => {
    const labels = await page.evaluate(PERCENTILE_LABELS) as {
      readonly text: string;
      readonly center: number;
      readonly width: number;
    }[];
    assertEquals(labels[0]?.text, "50%");
    for (const [index, { text, center, width }] of labels.slice(1).entries()) {
      const before = labels[index]!;
      assert(center - width / 2 > before.center + before.width / 2, `${text} overlaps ${before.text}`);
    }
  });
});

Deno.test("renderReport() runs no script from the run in Chromium", inChromium, async () => {
  const page = reportOf(troubledRun(), { command: HOSTILE });
  await withPage(page, async ({ page, complaints }) => {
    assertEquals(await page.title(), "Failed: 40 clients, seed 1");
    assertEquals(complaints, []);
  });
  // And if text did become markup, the page's policy would stop it.
  await withPage(page.replace("<main>", `<main>${HOSTILE}`), async ({ page, complaints }) => {
    assertEquals(await page.title(), "Failed: 40 clients, seed 1");
    assert(
      complaints.some((complaint) => complaint.includes("Content Security Policy")),
      complaints.join("\n"),
    );
  });
});

Deno.test("renderReport() shows the requests, steps, metrics, and checks of a scenario", async () => {
  const page = renderReport(await scenarioRun());
  for (
    const text of ["Answered as expected", "Steps", "three", "Custom metrics", "size", "Checks", "holds"]
  ) {
    assertStringIncludes(page, text);
  }
  assertStringIncludes(page, '<th scope="row">wrong reply</th>');
  for (const text of ["Acknowledged", "Added by the relay", "Reply delay", "duplicate oks"]) {
    assertEquals(page.includes(text), false, text);
  }
});

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SaxesParser } from "saxes";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { renderJunit } from "../../../loadtest/report/junit.ts";
import type { Summary } from "../../../loadtest/metrics/summary.ts";
import { ENDING, goodRun, runEvent, ZERO_STATE } from "../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../_util/loadtest/run_summary.ts";
import { pure } from "../../_util/permissions.ts";

const startedAt = new Date(0);

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** All elements inside, at any depth. */
  readonly inside: Element[];
  text: string;
}

/** Reads XML; what is not well-formed throws. */
function parse(xml: string): Element {
  const root: Element = { name: "", attributes: {}, inside: [], text: "" };
  const open = [root];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = { name, attributes, inside: [], text: "" };
    for (const outer of open) outer.inside.push(element);
    open.push(element);
  });
  parser.on("text", (text) => open.at(-1)!.text += text);
  parser.on("closetag", () => void open.pop());
  parser.write(xml).close();
  return root;
}

const all = (root: Element, name: string): Element[] =>
  root.inside.filter((element) => element.name === name);

/** Results of the cases by name. */
function outcomes(summary: Summary, faults = false): Record<string, string> {
  const root = parse(renderJunit({ summary, faults, startedAt }));
  return Object.fromEntries(
    all(root, "testcase").map((one) => {
      const failure = all(one, "failure")[0];
      const outcome = failure?.attributes.message ?? (all(one, "skipped").length > 0 ? "skipped" : "passed");
      return [one.attributes.name ?? "", outcome];
    }),
  );
}

const without = (left: (event: HistoryEvent) => boolean) => goodRun(4).filter((event) => !left(event));
const dropped = (client: number) => (event: HistoryEvent) => event.event === "ack" && event.client === client;
const extra = (...events: HistoryEvent[]): HistoryEvent[] => {
  const run = goodRun(4);
  return [...run.slice(0, -ENDING.length), ...events, ...ENDING];
};

Deno.test(
  "renderJunit() passes a case for each property when the run is proven, and lists metrics",
  pure,
  () => {
    assertEquals(outcomes(summaryOf(goodRun(4), { thresholds: ["p99<500ms"] })), {
      "every message is acknowledged": "passed",
      "nothing unexpected arrives": "passed",
      "no message is acknowledged twice": "passed",
      "every connection closes naturally": "passed",
      "the server is left with nothing": "passed",
      "no process dies": "passed",
      "the generator keeps its schedule": "passed",
      "the run ends": "passed",
      "threshold p99<500ms": "passed",
    });
    const root = parse(renderJunit({ summary: summaryOf(goodRun(4)), startedAt }));
    const suite = all(root, "testsuite")[0];
    const attributes = ["tests", "failures", "errors", "skipped", "time", "timestamp"];
    const expected = ["8", "0", "0", "0", "2.000", "1970-01-01T00:00:00.000Z"];
    assertEquals(attributes.map((name) => suite?.attributes[name]), expected);
    const properties = Object.fromEntries(
      all(root, "property").map((one) => [one.attributes.name, one.attributes.value]),
    );
    assertEquals(properties["seed"], "1");
    assertEquals(properties["latency.fromPlanned.p99 (ms)"], "20");
  },
);

Deno.test("renderJunit() fails the case of a property when it does not hold", pure, () => {
  const leaking = goodRun(4).map((event) =>
    event.event === "server" ? { ...event, state: { ...ZERO_STATE, timers: 2 } } : event
  );
  const cases: readonly (readonly [string, readonly HistoryEvent[], string])[] = [
    [
      "every message is acknowledged",
      without(dropped(2)),
      "Message 2 of client 2 (127.0.0.1:40002) was sent once and never acknowledged",
    ],
    [
      "nothing unexpected arrives",
      extra({ event: "ack", client: 0, at: 50, message: "x" }),
      'Client 0 (127.0.0.1:40000) got an ok for message "x", which no client sent',
    ],
    ["the server is left with nothing", leaking, "The server is left with 2 running timers"],
    [
      "the server is left with nothing",
      extra({ event: "killed", at: 9, detail: "did not end within 15s" }),
      "The server did not end within 15s after the run, and was killed",
    ],
    [
      "no process dies",
      extra({ event: "died", at: 1, process: 0, detail: "exit code 1" }),
      "Generator process 0 ended before the run did: exit code 1",
    ],
    [
      "the generator keeps its schedule",
      extra({ event: "generator", process: 0, loopLag: 400, socketLag: 1 }),
      "In generator process 0, timers ran 400ms late at the 99th percentile (limit 100ms)",
    ],
    [
      "the run ends",
      extra({ event: "stop", at: 9, why: "interrupted" }).filter((event) => event !== ENDING[1]),
      "Stopped before the end: 4 of 4 messages acknowledged",
    ],
  ];
  for (const [name, events, message] of cases) assertEquals(outcomes(summaryOf(events))[name], message);
  const doubled = goodRun(4).flatMap((event) => dropped(1)(event) ? [event, event] : [event]);
  const twice = "no message is acknowledged twice";
  assertEquals(
    outcomes(summaryOf(doubled))[twice],
    "Client 1 (127.0.0.1:40001) got more than one ok for message 1",
  );
  assertEquals(outcomes(summaryOf(doubled), true)[twice], "skipped");
  assertEquals(
    outcomes(summaryOf(goodRun(4), { thresholds: ["p99<5ms"] }))["threshold p99<5ms"],
    "p99<5ms: 19ms",
  );
  const unnatural = goodRun(4).map((event): HistoryEvent =>
    event.event === "close" && event.client === 3 ? { ...event, reason: "reset" } : event
  );
  assertEquals(
    outcomes(summaryOf(unnatural))["every connection closes naturally"],
    "Client 3 (127.0.0.1:40003) ended as reset, not on its own ok",
  );
});

Deno.test("renderJunit() names the likely cause in the cases that fail because of it", pure, () => {
  const silent = goodRun(4, { protocol: "echo" }).filter(({ event }) =>
    !["receive", "answer", "ack"].includes(event)
  ).map((event): HistoryEvent => event.event === "close" ? { ...event, reason: "timeout" } : event);
  const text = "The server accepted 4 connections, and replied to none of 4 sends in time";
  const xml = renderJunit({ summary: summaryOf(silent), startedAt: new Date(0) });
  assertEquals(xml.split(`&#10;Likely cause: ${text}</failure>`).length - 1, 2);
  assertStringIncludes(xml, `<system-out>failed: ${text}; 4 lost; 0 of 4 messages acknowledged</system-out>`);
});

Deno.test("renderJunit() skips the server case when the state is unknown", pure, () => {
  const foreign = goodRun(4, { server: "foreign" }).filter(({ event }) => event !== "server");
  assertEquals(outcomes(summaryOf(foreign))["the server is left with nothing"], "skipped");
});

Deno.test("renderJunit() is well-formed with any text from the run", pure, () => {
  const texts = [`</failure>]]>&<a b="c">'`, "\u0000\u001b[2J\ufffe", "\ud800", "line\nline\ttab", "𝒳 é"];
  const unsaid = extra(
    ...texts.map((message): HistoryEvent => ({ event: "ack", client: 0, at: 50, message })),
  );
  const summary = summaryOf(unsaid);
  const raw: Summary = {
    ...summary,
    findings: texts.map((text) => ({ kind: "unexpected", text })),
  };
  for (const one of [summary, raw]) parse(renderJunit({ summary: one, startedAt }));
  const [failure] = all(parse(renderJunit({ summary: raw, startedAt })), "failure");
  assertEquals(failure?.attributes.message, texts[0] ?? "");
  const shown = [texts[0], "\ufffd\ufffd[2J\ufffd", "\ufffd", ...texts.slice(3)];
  assertEquals(failure?.text, shown.join("\n"));
  assertThrows(() => parse("<a>&</a>"), Error, "1:"); // the parser does complain
});

Deno.test("renderJunit() has a failure exactly when the exit code is not 0", pure, () => {
  const runs = [goodRun(4), without(dropped(2)), [runEvent(4), ...ENDING]];
  for (const thresholds of [[], ["p99<5ms"], ["p99<1h"]]) {
    for (const run of runs) {
      const summary = summaryOf(run, { thresholds });
      const failed = Object.values(outcomes(summary)).some((outcome) =>
        !["passed", "skipped"].includes(outcome)
      );
      assertEquals(failed, !["proven", "delivered"].includes(summary.verdict), summary.verdict);
    }
  }
});

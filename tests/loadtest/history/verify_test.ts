import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type HistoryEvent, plannedEvent } from "../../../loadtest/history/events.ts";
import { HistoryDigest } from "../../../loadtest/history/digest.ts";
import { HistoryVerifier, type VerifiedHistory } from "../../../loadtest/history/verify.ts";
import { formatHistoryLine, HistoryError, parseHistoryLine } from "../../../loadtest/history/line_format.ts";
import { measure } from "../../../loadtest/metrics/measure.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import {
  addressOf,
  goodRun,
  ledgerOf,
  runEvent,
  SERVER,
  ZERO_STATE,
} from "../../_util/loadtest/run_events.ts";
import { pure } from "../../_util/permissions.ts";

const EVENTS: readonly HistoryEvent[] = [
  { event: "stop", at: 1, why: "threshold", threshold: "p99<1ms@abort" },
  {
    event: "generator",
    process: 1,
    loopLag: 1,
    socketLag: 2,
    load: { cpu: 0.5, waiting: 0.25, garbage: null },
  },
  ...goodRun(2),
  plannedEvent({ index: 1, startAt: 2, text: "x".repeat(1000) }),
  { event: "refused", client: 0, at: 1, error: "Connection refused" },
  { event: "ack", client: 0, at: 1, message: "lone \ud800 and \n newline" },
  { event: "close", client: 0, at: 1, reason: "stopped", detail: "deadline" },
  { event: "fault", at: 3, kind: "reset", client: 1 },
  { event: "fault", at: 3, kind: "slice" },
  { event: "accepted", at: 3, local: SERVER, remote: addressOf(1) },
  { event: "ended", at: 3, local: SERVER, remote: addressOf(1), reason: "slow-reader" },
  { event: "server", at: 3, state: null },
  { event: "server", at: 3, state: { ...ZERO_STATE, descriptors: null, closed: { natural: 3, reset: 1 } } },
  { event: "died", at: 3, process: "server", detail: "exit code 1" },
  { event: "died", at: 3, process: 1, detail: "SIGKILL" },
  { event: "killed", at: 3, detail: "did not end within 15s" },
  { event: "verdict", verdict: "proven", crossed: ["p99<1ms"], lines: 3, sha256: "00" },
];

Deno.test("parseHistoryLine() reads what formatHistoryLine() writes, of every kind", pure, () => {
  for (const event of EVENTS) {
    const line = formatHistoryLine(event);
    assert(!line.includes("\n"));
    assertEquals(parseHistoryLine(line, 1), event);
  }
});

Deno.test(
  "parseHistoryLine() takes 1 to 1,048,576 as the number of requests that one read answered",
  pure,
  () => {
    const line = (count: number) =>
      JSON.stringify({ event: "ask", client: 0, at: 3, ask: 0, count, step: "GET", due: 1, sent: 2 });
    for (const count of [1, 16, 2 ** 20]) {
      assertEquals(
        Reflect.get(parseHistoryLine(line(count), 1), "count"),
        count,
      );
    }
    for (const count of [0, -1, 1.5, 2 ** 20 + 1]) {
      assertThrows(() => parseHistoryLine(line(count), 1), HistoryError, 'bad "count" of "ask"');
    }
  },
);

Deno.test("formatHistoryLine() rounds times to microseconds, and writes the kind first", pure, () => {
  assertEquals(
    formatHistoryLine({ event: "start", client: 3, at: 12.3456789 }),
    '{"event":"start","client":3,"at":12.346}',
  );
});

Deno.test(
  "parseHistoryLine() names the field when it is missing, wrong, or unknown",
  pure,
  () => {
    for (const event of EVENTS) {
      const fields = Object.entries(event).filter(([name]) => name !== "event");
      for (const [name, value] of fields) {
        const line = (changed: unknown) => JSON.stringify({ ...event, [name]: changed });
        const wrong = assertThrows(() => parseHistoryLine(line({ not: value }), 7), HistoryError);
        assertMatch(wrong.message, new RegExp(`^History line 7: bad "${name}" of "${event.event}": got `));
        assertEquals(wrong.line, 7);
        if (
          ["length", "detail", "client", "threshold", "load"].includes(name) && event.event !== "died" &&
          event.event !== "killed"
        ) {
          continue; // optional in some
        }
        assertThrows(() => parseHistoryLine(line(undefined), 7), HistoryError, `bad "${name}"`);
      }
      const more = JSON.stringify({ ...event, color: "red" });
      assertThrows(() => parseHistoryLine(more, 7), HistoryError, `"${event.event}" has no "color"`);
    }
  },
);

Deno.test("parseHistoryLine() throws a HistoryError when a line is not an event", pure, () => {
  for (const line of ["", "{", "null", "[]", "7", '"ack"', "{}", '{"event":7}']) {
    assertThrows(() => parseHistoryLine(line, 1), HistoryError, "History line 1: expected");
  }
  assertThrows(
    () => parseHistoryLine('{"event":"acked"}', 1),
    HistoryError,
    'unknown event "acked": expected run, ',
  );
  assertThrows(() => parseHistoryLine('{"event":"toString"}', 1), HistoryError, 'unknown event "toString"');
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (line) => {
    assertThrows(() => parseHistoryLine(line, 1), HistoryError);
  }));
});

Deno.test("plannedEvent() cuts a long text, and keeps its length", pure, () => {
  const planned = plannedEvent({ index: 4, startAt: 1, text: "y".repeat(81) });
  assertEquals(planned, { event: "planned", client: 4, at: 1, text: "y".repeat(80), length: 81 });
});

/** The lines of a history as a run writes them. */
function written(events: readonly HistoryEvent[], crossed: readonly string[] = []): string[] {
  const digest = new HistoryDigest();
  const lines = events.map(formatHistoryLine);
  for (const line of lines) digest.add(line);
  const { verdict } = judge(ledgerOf(events));
  const final = verdict === "proven" && crossed.length > 0 ? "threshold" : verdict;
  return [...lines, formatHistoryLine({ event: "verdict", verdict: final, crossed, ...digest.result() })];
}

function judged(lines: readonly string[]): VerifiedHistory {
  const history = new HistoryVerifier();
  for (const line of lines) history.push(line);
  return history.end();
}

Deno.test("HistoryVerifier agrees with the run", pure, () => {
  const lost = goodRun(4).filter((event) => !(event.event === "ack" && event.client === 2));
  for (const [events, verdict] of [[goodRun(4), "proven"], [lost, "failed"]] as const) {
    const { discrepancies, judgement, ...history } = judged(written(events));
    assertEquals(discrepancies, []);
    assertEquals(history.verdict, verdict);
    assertEquals(judgement.findings, judge(ledgerOf(events)).findings);
  }
  assertEquals(judged(written(goodRun(4), ["p99<1ms"])).verdict, "threshold");
});

Deno.test("HistoryVerifier describes as many findings of a kind as its option says", pure, () => {
  const lines = written(goodRun(30).filter((event) => event.event !== "ack"));
  const lost = (options?: { readonly described: number }) => {
    const history = new HistoryVerifier(options);
    for (const line of lines) history.push(line);
    return history.end().judgement.findings.filter(({ kind }) => kind === "lost");
  };
  assertEquals([lost().length, lost().at(-1)?.text], [21, "And 10 more like these"]);
  assertEquals(lost({ described: Infinity }).length, 30);
});

Deno.test(
  "HistoryVerifier judges by the lag limit of the history, or by 100 ms when there is none",
  pure,
  () => {
    const slow: HistoryEvent = { event: "generator", process: 0, loopLag: 120, socketLag: 1 };
    for (
      const [run, verdict] of [[{}, "invalid"], [{ maxLag: 119 }, "invalid"], [
        { maxLag: 120 },
        "proven",
      ]] as const
    ) {
      const { discrepancies, ...history } = judged(written([...goodRun(4, run), slow]));
      assertEquals([history.verdict, discrepancies], [verdict, []]);
    }
    for (const maxLag of [0, -1, 2 ** 42, "1h", null]) {
      const line = JSON.stringify({ ...runEvent(4), maxLag });
      assertThrows(() => judged([line]), HistoryError, 'bad "maxLag" of "run"');
    }
  },
);

Deno.test("HistoryVerifier measures what the run measured, to the microsecond", pure, () => {
  const instants = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 10, maxLength: 10 });
  fc.assert(fc.property(instants, (extra) => {
    // As uneven as a real clock; a history has three digits after the point, a running ledger all of them.
    const events = goodRun(10).map((event): HistoryEvent => {
      return event.event === "ack" || event.event === "start"
        ? { ...event, at: event.at + (extra[event.client] ?? 0) }
        : event;
    });
    const [live, read] = [measure(ledgerOf(events)), measure(judged(written(events)).ledger)];
    assertEquals(read.total.encode(), live.total.encode());
    assertEquals(read.fairness, live.fairness);
  }));
});

Deno.test(
  "HistoryVerifier finds any single line removed, duplicated, swapped, or changed",
  pure,
  () => {
    const lines = written(goodRun(3));
    const edits = fc.record({
      place: fc.nat(lines.length - 1),
      edit: fc.constantFrom("remove", "double", "swap", "digit"),
    });
    fc.assert(
      fc.property(edits, ({ place, edit }) => {
        const edited = [...lines];
        const line = lines[place] ?? "";
        if (edit === "remove") edited.splice(place, 1);
        if (edit === "double") edited.splice(place, 0, line);
        if (edit === "swap") edited.splice(place, 2, lines[place + 1] ?? "", line);
        if (edit === "digit") edited[place] = line.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`);
        if (edited.join("\n") === lines.join("\n")) return;
        try {
          const { verdict, discrepancies } = judged(edited);
          assertEquals(verdict, "failed");
          assert(discrepancies.length > 0);
        } catch (error) {
          if (!(error instanceof HistoryError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  },
);

Deno.test("HistoryVerifier reports each discrepancy of a history", pure, () => {
  const lines = written(goodRun(2));
  assertMatch(judged(lines.slice(0, -1)).discrepancies.join(), /has no verdict/);
  const without = lines.filter((line) => !line.startsWith('{"event":"ack","client":1'));
  const { discrepancies, judgement } = judged(without);
  assertMatch(discrepancies.join(), /was written with 20 lines before its verdict, but has 19/);
  assertMatch(discrepancies.join(), /was changed/);
  assertMatch(discrepancies.join(), /The run was judged "proven", but its history is "failed"/);
  assertEquals(judgement.findings[0]?.kind, "lost");
});

Deno.test(
  "HistoryVerifier throws when a history does not start with its run, or continues after its verdict",
  pure,
  () => {
    const [run = "", ...others] = written(goodRun(1));
    assertThrows(() => judged(others), HistoryError, 'expected the event "run" first: got "planned"');
    assertThrows(() => judged([run, ...others, run]), HistoryError, '"run" after the verdict');
    assertThrows(() => judged([]), HistoryError, "got the end");
    assertEquals(judged([run, formatHistoryLine(runEvent(1))]).judgement.count("inconsistent"), 1);
  },
);

Deno.test("HistoryVerifier allocates nothing for clients that a history only claims", pure, () => {
  const verifier = new HistoryVerifier();
  verifier.push(JSON.stringify(runEvent(2_000_000_000, { server: "foreign" })));
  verifier.push('{"event":"planned","client":1999999999,"at":5,"text":"x"}');
  verifier.push('{"event":"start","client":1999999999,"at":5}');
  const { judgement, ledger } = verifier.end();
  assertEquals(ledger.clients.columns.sends.length, 1);
  assertEquals([judgement.counts.started, judgement.counts.notStarted], [1, 1_999_999_999]);
  assertEquals(judgement.verdict, "invalid");
  const tooMany = new HistoryVerifier();
  assertThrows(() => tooMany.push(JSON.stringify(runEvent(2 ** 31))), HistoryError, 'bad "clients"');
});

Deno.test("HistoryVerifier agrees with a history of version 0.1.0", () => {
  for (const name of ["proven", "failed"]) {
    const verifier = new HistoryVerifier();
    const url = new URL(`./fixtures/${name}_0.1.0.jsonl`, import.meta.url);
    for (const line of Deno.readTextFileSync(url).trimEnd().split("\n")) verifier.push(line);
    const { verdict, discrepancies, recorded } = verifier.end();
    assertEquals([verdict, discrepancies, recorded?.verdict], [name, [], name]);
  }
});

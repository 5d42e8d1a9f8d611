import { assertEquals } from "@std/assert";
import type { ScenarioEvent } from "../../../../loadtest/scenario/events.ts";
import { Batch } from "../../../../loadtest/scenario/session/batch.ts";
import { SessionRecorder } from "../../../../loadtest/scenario/session/recorder.ts";
import { pure } from "../../../_util/permissions.ts";

function setUp() {
  const events: ScenarioEvent[] = [];
  const answered: [number, number][] = [];
  const recorder = new SessionRecorder<string>({
    client: 3,
    record: (event) => events.push(event),
    onAnswered: (ms, count) => answered.push([ms, count]),
  });
  return { events, answered, recorder };
}

function batchOf(
  { number, size, steps = "step", sent = 10 }: {
    readonly number: number;
    readonly size: number;
    readonly steps?: string | readonly string[];
    readonly sent?: number;
  },
): Batch<string> {
  return new Batch<string>({
    frames: Array(size).fill("x"),
    number,
    steps,
    due: sent - 1,
    sent,
    deadline: 1000,
    expect: undefined,
    expectEach: undefined,
    keys: undefined,
    single: false,
  });
}

const ask = { event: "ask", client: 3, step: "step", due: 9, sent: 10 } as const;

Deno.test(
  "SessionRecorder makes one event of requests that follow each other, also of several batches",
  pure,
  () => {
    const { events, answered, recorder } = setUp();
    const first = batchOf({ number: 0, size: 2 });
    recorder.answered(first, 0, 30);
    recorder.answered(first, 1, 30);
    recorder.answered(batchOf({ number: 2, size: 1 }), 0, 30);
    assertEquals(events, []);
    recorder.flush();
    recorder.flush();
    assertEquals(events, [{ ...ask, at: 30, ask: 0, count: 3 }]);
    assertEquals(answered, [[21, 3]]);
  },
);

Deno.test("SessionRecorder separates requests that differ in step, times, or order", pure, () => {
  const { events, answered, recorder } = setUp();
  const steps = batchOf({ number: 0, size: 3, steps: ["a", "a", "b"] });
  for (const index of [0, 1, 2]) recorder.answered(steps, index, 30);
  recorder.answered(batchOf({ number: 3, size: 1, steps: "b", sent: 20 }), 0, 30);
  recorder.answered(batchOf({ number: 4, size: 1, steps: "b", sent: 20 }), 0, 31);
  const late = batchOf({ number: 5, size: 3 });
  for (const index of [1, 0, 2]) recorder.answered(late, index, 31);
  recorder.flush();
  assertEquals(events, [
    { ...ask, at: 30, ask: 0, step: "a", count: 2 },
    { ...ask, at: 30, ask: 2, step: "b" },
    { ...ask, at: 30, ask: 3, step: "b", due: 19, sent: 20 },
    { ...ask, at: 31, ask: 4, step: "b", due: 19, sent: 20 },
    { ...ask, at: 31, ask: 6 },
    { ...ask, at: 31, ask: 5 },
    { ...ask, at: 31, ask: 7 },
  ]);
  assertEquals(answered.map(([, count]) => count), [2, 1, 1, 1, 1, 1, 1]);
});

Deno.test("SessionRecorder.record() records the answers before the event", pure, () => {
  const { events, recorder } = setUp();
  recorder.answered(batchOf({ number: 0, size: 1 }), 0, 30);
  recorder.record({ event: "push", client: 3, at: 31 });
  assertEquals(events.map(({ event }) => event), ["ask", "push"]);
});

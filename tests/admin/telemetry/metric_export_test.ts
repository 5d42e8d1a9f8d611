import { assertEquals } from "@std/assert";
import type { Attributes, Meter } from "@opentelemetry/api";
import type { Reading } from "../../../admin/metrics/metric_set.ts";
import { MetricExport } from "../../../admin/telemetry/metric_export.ts";
import { pure } from "../../_util/permissions.ts";

/** A meter that notes what its instruments get. */
function noting(): { readonly meter: Meter; readonly notes: unknown[] } {
  const notes: unknown[] = [];
  const instrument = (name: string) => {
    const note = (value: number, attributes?: Attributes) =>
      void notes.push([
        name,
        value,
        ...(attributes && Object.keys(attributes).length > 0 ? [attributes] : []),
      ]);
    return { add: note, record: note };
  };
  return { meter: { createCounter: instrument, createGauge: instrument } as unknown as Meter, notes };
}

Deno.test("MetricExport.update() adds to counters what they miss, and sets gauges", pure, () => {
  const { meter, notes } = noting();
  let total = 5;
  let closed: Reading = [];
  const exported = new MetricExport(meter, [
    { type: "counter", name: "a_total", help: "", read: () => total },
    { type: "counter", name: "closed_total", help: "", read: () => closed },
    { type: "gauge", name: "open", help: "", read: () => total * 2 },
  ]);
  const update = () => {
    notes.length = 0;
    exported.update();
    return [...notes];
  };
  assertEquals(update(), [["a_total", 5], ["open", 10]]);
  total = 7;
  closed = [[{ reason: "natural" }, 3], [{ reason: "reset" }, 0]];
  assertEquals(update(), [
    ["a_total", 2],
    ["closed_total", 3, { reason: "natural" }],
    ["closed_total", 0, { reason: "reset" }],
    ["open", 14],
  ]);
  closed = [[{ reason: "natural" }, 4], [{ reason: "reset" }, 0]];
  assertEquals(update(), [["closed_total", 1, { reason: "natural" }], ["open", 14]]);
});

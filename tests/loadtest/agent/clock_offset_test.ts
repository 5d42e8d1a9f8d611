import { assertEquals, assertThrows } from "@std/assert";
import { estimateOffset } from "../../../loadtest/agent/clock_offset.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("estimateOffset() is off by half of the fastest round trip at most", pure, () => {
  const offset = -250;
  // However the time on the way is divided between there and back.
  for (const there of [0, 0.25, 0.5, 0.75, 1]) {
    const samples = [40, 8, 90].map((roundTrip, index) => ({
      sentAt: 1000 * index,
      receivedAt: 1000 * index + roundTrip,
      remote: 1000 * index + there * roundTrip + offset,
    }));
    const estimate = estimateOffset(samples);
    assertEquals(estimate.roundTrip, 8);
    assertEquals(Math.abs(estimate.offset - offset) <= 4, true, `${there}`);
  }
});

Deno.test("estimateOffset() throws RangeError without samples", pure, () => {
  assertThrows(() => estimateOffset([]), RangeError, "no sample");
});

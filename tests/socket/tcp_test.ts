import { assertEquals } from "@std/assert";
import { systemClock } from "../../socket/tcp.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("systemClock.untilDue() is the time until the next timer", () => {
  const timer = systemClock.after(1000, () => {});
  const ms = systemClock.untilDue!();
  timer.cancel();
  assertEquals(ms > 0 && ms <= 1000, true, `${ms} ms`);
});

Deno.test(
  "systemClock.after() does not fire early when the delay is longer than setTimeout allows",
  pure,
  async () => {
    const ran: number[] = [];
    const timers = [2 ** 31, 30 * 86_400_000, 2 ** 40, Infinity].map((ms) =>
      systemClock.after(ms, () => ran.push(ms))
    );
    // The runtime runs a delay that it cannot hold after 1 ms, so before this one.
    await new Promise<void>((resolve) => systemClock.after(20, resolve));
    for (const timer of timers) timer.cancel();
    assertEquals(ran, []);
  },
);

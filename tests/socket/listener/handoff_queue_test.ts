import { assertEquals } from "@std/assert";
import { HandoffQueue } from "../../../socket/listener/handoff_queue.ts";

const permissions = "none";

Deno.test(
  "HandoffQueue.shift() returns items in order, and resolves each push()",
  { permissions },
  async () => {
    const handover = new HandoffQueue<string>();
    const taken: string[] = [];
    const gave = ["a", "b"].map((item) => handover.push(item).then(() => taken.push(item)));
    assertEquals(await handover.shift(), "a");
    await gave[0];
    assertEquals(taken, ["a"]);
    assertEquals(handover.rest(), ["b"]);
    assertEquals(await handover.shift(), "b");
    await gave[1];
  },
);

Deno.test("HandoffQueue.shift() waits when the queue is empty", { permissions }, async () => {
  const handover = new HandoffQueue<string>();
  const next = handover.shift();
  await handover.push("late");
  assertEquals(await next, "late");
  assertEquals(handover.rest(), []);
});

Deno.test(
  "HandoffQueue.stop() ends pending calls, and keeps the remaining items",
  { permissions },
  async () => {
    const waiting = new HandoffQueue<string>();
    const next = waiting.shift();
    waiting.stop();
    assertEquals(await next, undefined);

    const full = new HandoffQueue<string>();
    void full.push("left"); // It is never taken, so this waits forever.
    full.stop();
    assertEquals(await full.shift(), undefined);
    assertEquals(full.rest(), ["left"]);
  },
);

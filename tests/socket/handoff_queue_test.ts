import { assertEquals } from "@std/assert";
import { Handover } from "../../socket/handoff_queue.ts";

const permissions = "none";

Deno.test(
  "Handover.next() gives what was given, in order, and tells who gave it",
  { permissions },
  async () => {
    const handover = new Handover<string>();
    const taken: string[] = [];
    const gave = ["a", "b"].map((item) => handover.give(item).then(() => taken.push(item)));
    assertEquals(await handover.next(), "a");
    await gave[0];
    assertEquals(taken, ["a"]);
    assertEquals(handover.rest(), ["b"]);
    assertEquals(await handover.next(), "b");
    await gave[1];
  },
);

Deno.test("Handover.next() waits for what is not there yet", { permissions }, async () => {
  const handover = new Handover<string>();
  const next = handover.next();
  await handover.give("late");
  assertEquals(await next, "late");
  assertEquals(handover.rest(), []);
});

Deno.test("Handover.stop() ends the wait, and leaves the rest", { permissions }, async () => {
  const waiting = new Handover<string>();
  const next = waiting.next();
  waiting.stop();
  assertEquals(await next, undefined);

  const full = new Handover<string>();
  void full.give("left"); // Nobody takes it, so this waits for ever.
  full.stop();
  assertEquals(await full.next(), undefined);
  assertEquals(full.rest(), ["left"]);
});

import { assertEquals, assertRejects } from "@std/assert";
import { UntilGone } from "../../../services/chat/until_gone.ts";
import { leftAfterCollection } from "../../_util/collect_garbage.ts";

Deno.test("UntilGone.wait() waits for the work, and rejects as it does", async () => {
  const waits = new UntilGone(new Promise(() => {}));
  const work = Promise.withResolvers<void>();
  let over = false;
  const waiting = waits.wait(work.promise).then(() => over = true);
  await Promise.resolve();
  assertEquals(over, false);
  work.resolve();
  await waiting;
  await assertRejects(() => waits.wait(Promise.reject(new Error("broken"))), Error, "broken");
});

Deno.test("UntilGone.wait() ends with the end, before and during a wait", async () => {
  const end = Promise.withResolvers<void>();
  const waits = new UntilGone(end.promise);
  const waiting = waits.wait(new Promise(() => {}));
  end.resolve();
  await waiting;
  await waits.wait(new Promise(() => {}));
  assertEquals(waits.gone, true);
});

Deno.test("UntilGone.wait() keeps no wait in memory until the end", async () => {
  const waits = new UntilGone(new Promise(() => {}));
  const works: WeakRef<WeakKey>[] = [];
  for (let count = 0; count < 50; count++) {
    const result = { count };
    works.push(new WeakRef(result));
    await waits.wait(Promise.resolve(result));
  }
  assertEquals(await leftAfterCollection(works, { most: 2 }) <= 2, true);
});

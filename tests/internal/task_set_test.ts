import { assertEquals, assertRejects } from "@std/assert";
import { TaskSet } from "../../internal/task_set.ts";

const permissions = "none";

Deno.test(
  "TaskSet.allSettled() waits for every task, also when it is added during the wait",
  { permissions },
  async () => {
    const tasks = new TaskSet();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    tasks.add(first.promise.then(() => {
      tasks.add(Promise.resolve().then(() => log.push("second")));
      log.push("first");
    }));
    const settled = tasks.allSettled().then(() => log.push("settled"));
    first.resolve();
    await settled;
    assertEquals(log, ["first", "second", "settled"]);
  },
);

Deno.test(
  "TaskSet.allSettled() throws the first failure, after all have settled",
  { permissions },
  async () => {
    const tasks = new TaskSet();
    const last = Promise.withResolvers<void>();
    let settled = false;
    tasks.add(Promise.reject(new RangeError("first")));
    tasks.add(Promise.reject(new TypeError("second")));
    tasks.add(last.promise.then(() => settled = true));
    const all = assertRejects(() => tasks.allSettled(), RangeError, "first");
    last.resolve();
    await all;
    assertEquals(settled, true);
  },
);

Deno.test("TaskSet.fail() counts as a failed task", { permissions }, async () => {
  const tasks = new TaskSet();
  tasks.fail(new RangeError("noted"));
  await assertRejects(() => tasks.allSettled(), RangeError, "noted");
});

Deno.test("TaskSet.allSettled() resolves for several callers", { permissions }, async () => {
  const tasks = new TaskSet();
  const both = Promise.all([tasks.allSettled(), tasks.allSettled()]);
  tasks.begin();
  const later = Promise.all([tasks.allSettled(), tasks.allSettled()]);
  tasks.end();
  await both;
  await later;
});

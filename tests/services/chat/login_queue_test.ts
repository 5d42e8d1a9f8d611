import { assertEquals, assertRejects } from "@std/assert";
import { LoginQueue, type LoginQueueOptions, type LoginResult } from "../../../services/chat/login_queue.ts";
import { pure } from "../../_util/permissions.ts";

/** A queue whose checks a test ends one by one. */
function createQueue(options: LoginQueueOptions = {}) {
  const checks: { name: string; end: (right: boolean) => void; fail: (error: Error) => void }[] = [];
  const results = new Map<string, LoginResult>();
  const queue = new LoginQueue(({ name }) => {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    checks.push({ name, end: resolve, fail: reject });
    return promise;
  }, options);
  return {
    queue,
    checks,
    results,
    /** Queues a login, and returns what aborts it. */
    login(name: string, address = "10.0.0.1", finished = false): AbortController {
      const left = new AbortController();
      void queue.login({ name, password: "" }, { address, signal: left.signal, finished: () => finished })
        .then((result) => results.set(name, result));
      return left;
    },
    /** Ends the running check and those that follow, and returns their names. */
    async run(): Promise<string[]> {
      for (let ended = 0; ended < checks.length; ended++) {
        checks[ended]!.end(true);
        await settled();
      }
      return checks.map(({ name }) => name);
    },
  };
}

/** Lets every promise that is resolved call back. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("LoginQueue.login() checks one password at a time", pure, async () => {
  const { login, checks, run, results } = createQueue();
  for (const name of ["a", "b", "c"]) login(name);
  await settled();
  assertEquals(checks.map(({ name }) => name), ["a"]);
  assertEquals(await run(), ["a", "c", "b"]);
  assertEquals([...results], [["a", "right"], ["c", "right"], ["b", "right"]]);
});

Deno.test("LoginQueue.login() gives addresses their turns", pure, async () => {
  const { login, run } = createQueue();
  for (const name of ["a1", "a2", "a3", "a4"]) login(name, "10.0.0.1");
  for (const name of ["b1", "b2"]) login(name, "10.0.0.2");
  login("c1", "10.0.0.3");
  assertEquals(await run(), ["a1", "a4", "b2", "c1", "a3", "b1", "a2"]);
});

Deno.test("LoginQueue.login() returns busy for the oldest login when too many wait", pure, async () => {
  const { queue, login, results } = createQueue({ maxQueued: 5, maxPerAddress: 3 });
  for (const name of ["a0", "a1", "a2", "a3", "a4"]) login(name, "10.0.0.1");
  await settled();
  assertEquals([...results], [["a1", "busy"]]);
  for (const name of ["b1", "b2", "b3"]) login(name, "10.0.0.2");
  for (const name of ["c1", "d1", "e1"]) login(name, `10.0.0.${name}`);
  await settled();
  // The most crowded address makes room. When no address has more than one login, only its own does.
  assertEquals([...results.keys()], ["a1", "b1", "a2", "b2", "a3"]);
  login("f1", "10.0.0.6");
  login("b4", "10.0.0.2");
  await settled();
  assertEquals([...results.keys()].slice(5), ["f1", "b3"]);
  assertEquals(queue.queued, 5);
});

Deno.test("LoginQueue.login() removes clients that leave, and checks nothing for them", pure, async () => {
  const { queue, login, run, results } = createQueue();
  login("first");
  const left = ["x", "y", "z"].map((name) => login(name));
  for (const one of left) one.abort();
  await settled();
  assertEquals([...results], [["x", "left"], ["y", "left"], ["z", "left"]]);
  assertEquals(queue.queued, 0);
  login("honest");
  assertEquals(await run(), ["first", "honest"]);
  const aborted = new AbortController();
  aborted.abort();
  const client = { address: "10.0.0.1", signal: aborted.signal, finished: () => false };
  assertEquals(await queue.login({ name: "late", password: "" }, client), "left");
});

Deno.test(
  "LoginQueue.login() lets clients that have finished sending wait for the others",
  pure,
  async () => {
    const { login, run, results } = createQueue({ maxPerAddress: 3 });
    login("first");
    for (const name of ["x", "y", "z"]) login(name, "10.0.0.1", true);
    login("honest");
    login("other", "10.0.0.2");
    assertEquals(await run(), ["first", "honest", "other", "z", "y"]);
    // It made room for a live one.
    assertEquals(results.get("x"), "busy");
  },
);

Deno.test("LoginQueue.login() rejects with the error of a check, and goes on", pure, async () => {
  const { queue, login, checks, results } = createQueue();
  const client = { address: "10.0.0.1", signal: new AbortController().signal, finished: () => false };
  const failing = queue.login({ name: "a", password: "" }, client);
  login("b");
  checks[0]!.fail(new RangeError("broken"));
  await assertRejects(() => failing, RangeError, "broken");
  await settled();
  checks[1]!.end(false);
  await settled();
  assertEquals([...results], [["b", "wrong"]]);
});

import { assertEquals, assertRejects } from "@std/assert";
import { Reconnect } from "../../socket/reconnect.ts";
import { ConnectError } from "../../socket/errors.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

const permissions = "none";
const refused = new ConnectError("refused", "Cannot connect: refused");

function attemptsOn(clock: VirtualClock, options: { most?: number } = {}): Reconnect {
  return new Reconnect({ clock, random: () => 0.5, backOff: { first: 100, longest: 200 }, ...options });
}

Deno.test("Reconnect.run() waits between attempts, longer each time, until it is done", {
  permissions,
}, async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const at: number[] = [];
  const attempts = attemptsOn(clock);
  const observer = { dialing: (attempt: number) => void seen.push(attempt) };
  const attempt = () => {
    at.push(clock.now());
    return at.length < 4 ? Promise.reject(refused) : Promise.resolve();
  };
  assertEquals(await clock.runUntil(attempts.run(attempt, () => at.length === 4, observer)), undefined);
  assertEquals([at, seen, attempts.count], [[0, 50, 150, 250], [1, 2, 3, 4], 4]);
});

Deno.test(
  "Reconnect.run() gives up after the maximum number of attempts, and reports why",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const attempts = attemptsOn(clock, { most: 2 });
    assertEquals(await clock.runUntil(attempts.run(() => Promise.reject(refused), () => false)), refused);
    assertEquals([attempts.count, clock.timers], [2, 0]);
  },
);

Deno.test("Reconnect.run() rethrows an error that is not about connecting", { permissions }, async () => {
  const clock = new VirtualClock();
  const attempts = attemptsOn(clock);
  await assertRejects(
    () => attempts.run(() => Promise.reject(new RangeError("broken")), () => false),
    RangeError,
  );
  assertEquals(attempts.count, 1);
});

Deno.test("Reconnect.stop() ends a pending wait, and leaves no timer", { permissions }, async () => {
  const clock = new VirtualClock();
  const attempts = attemptsOn(clock);
  const running = attempts.run(() => Promise.reject(refused), () => false);
  await clock.advance(10);
  assertEquals([attempts.count, clock.timers], [1, 1]);
  attempts.stop();
  assertEquals(await running, refused);
  assertEquals([attempts.count, clock.timers, attempts.stopped], [1, 0, true]);
});

Deno.test(
  "Reconnect.run() makes no further attempt when a permission is missing",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const denied = new ConnectError("other", "Cannot connect", {
      cause: new Deno.errors.NotCapable("Requires net access"),
    });
    const attempts = attemptsOn(clock);
    assertEquals(await clock.runUntil(attempts.run(() => Promise.reject(denied), () => false)), denied);
    assertEquals([attempts.count, clock.timers], [1, 0]);
  },
);

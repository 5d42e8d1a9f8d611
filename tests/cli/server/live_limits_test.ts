import { assertEquals, assertRejects } from "@std/assert";
import { LiveLimits } from "../../../cli/server/live_limits.ts";
import { connectionOptions, lineOptions } from "../../../cli/server/service_options.ts";
import { integer } from "../../../cli/args/option.ts";
import { pure } from "../../_util/permissions.ts";

const options = {
  ...connectionOptions,
  ...lineOptions,
  maxInFlight: integer({
    help: "Limit of messages in flight",
    default: 0,
    min: 0,
    formerName: "max-under-way",
  }),
};
const values = {
  maxConnections: 0,
  maxConnectionsPerIp: 0,
  whenFull: "refuse",
  acceptRate: 0,
  writeBuffer: 1024 * 1024,
  idleTimeout: 0,
  firstLineTimeout: 0,
  writeTimeout: 0,
  drainTimeout: 10_000,
  maxInFlight: 0,
  maxLine: 65_536,
};

function start() {
  const changes: unknown[] = [];
  const setLimits = (...change: unknown[]) => void changes.push(change.slice(0, 2));
  const limits = new LiveLimits({ setLimits }, { options, values });
  return { changes, limits, set: (text: string) => limits.set(new URLSearchParams(text)) };
}

const NAMES =
  "max-connections, max-connections-per-ip, when-full, accept-rate, write-buffer, max-in-flight, " +
  "idle-timeout, first-line-timeout, write-timeout, drain-timeout";

Deno.test("LiveLimits.set() passes limits and timeouts by the names of the library", pure, async () => {
  const { changes, limits, set } = start();
  await set(
    "max-connections=100&accept-rate=50&max-in-flight=7&idle-timeout=30s&write-buffer=64KiB&when-full=wait",
  );
  assertEquals(changes, [[
    { maxConnections: 100, whenFull: "wait", maxAcceptRate: 50, writeBuffer: 65_536, maxInFlight: 7 },
    { idle: 30_000 },
  ]]);
  assertEquals(limits.current, {
    "max-connections": "100",
    "max-connections-per-ip": "0",
    "when-full": "wait",
    "accept-rate": "50",
    "write-buffer": "64KiB",
    "max-in-flight": "7",
    "max-under-way": "7",
    "idle-timeout": "30s",
    "first-line-timeout": "0s",
    "write-timeout": "0s",
    "drain-timeout": "10s",
  });
});

Deno.test("LiveLimits.set() accepts a former name, and passes the present one on", pure, async () => {
  const passed: string[] = [];
  const setLimits = (_limits: object, _timeouts: object, changes: URLSearchParams) =>
    void passed.push(`${changes}`);
  const limits = new LiveLimits({ setLimits }, { options, values });
  await limits.set(new URLSearchParams("max-under-way=3"));
  await limits.set(new URLSearchParams("max-in-flight=4"));
  assertEquals(passed, ["max-in-flight=3", "max-in-flight=4"]);
  assertEquals([limits.current["max-in-flight"], limits.current["max-under-way"]], ["4", "4"]);
  const twice = new URLSearchParams("max-under-way=3&max-in-flight=4");
  await assertRejects(() => limits.set(twice), RangeError, "Cannot set max-in-flight twice");
  await limits.set(new URLSearchParams(limits.current));
  assertEquals(limits.current["max-in-flight"], "4");
});

Deno.test("LiveLimits.set() changes nothing when one of the changes is not accepted", pure, async () => {
  const { changes, limits, set } = start();
  const before = limits.current;
  for (
    const [text, message] of [
      ["", `Cannot change limits: expected ${NAMES}`],
      [
        "max-connections=5&max-line=1KiB",
        `Cannot change max-line while the server runs: only ${NAMES} can change`,
      ],
      ["max-connections=5&speed=3", `Cannot change "speed": expected ${NAMES}`],
      ["__proto__=1", `Cannot change "__proto__": expected ${NAMES}`],
      [
        "idle-timeout=5s&max-connections=-1",
        'Cannot set max-connections: expected an integer of at least 0, got "-1"',
      ],
      ["when-full=no", 'Cannot set when-full: expected one of refuse, wait, got "no"'],
      ["max-connections=1&max-connections=2", "Cannot set max-connections twice"],
    ] as const
  ) await assertRejects(() => set(text), RangeError, message);
  assertEquals([changes, limits.current], [[], before]);
});

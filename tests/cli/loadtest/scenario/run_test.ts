import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  prepareRun,
  refuseScenarioOptions,
  type RunCommandValues,
} from "../../../../cli/loadtest/scenario/run.ts";
import { UsageError } from "../../../../cli/terminal/exit.ts";
import { Log } from "../../../../cli/terminal/log.ts";
import type { Scenario } from "../../../../loadtest/scenario/scenario.ts";
import { lineCodec } from "../../../../socket/codecs/line_codec.ts";

Deno.test("prepareRun() reads the files of TLS before it calls setup, which needs a teardown", {
  permissions: { read: true },
}, async () => {
  const calls: string[] = [];
  const scenario: Scenario = {
    okline: "scenario",
    codec: lineCodec(),
    setup: () => void calls.push("setup"),
    teardown: () => void calls.push("teardown"),
    session: () => Promise.resolve(),
  };
  const values = {
    target: { hostname: "127.0.0.1", port: 1 },
    clients: 1,
    window: 1,
    seed: 1,
    tls: true,
    tlsCa: "/nonexistent/ca.pem",
    threshold: [],
  } as unknown as RunCommandValues;
  const file = {
    scenario,
    name: "echo.ts",
    url: "file:///echo.ts",
    strayErrors: () => [],
    [Symbol.dispose]: () => {},
  };
  const options = { log: new Log(), signal: new AbortController().signal };
  await assertRejects(() => prepareRun(file, values, options), Error, "/nonexistent/ca.pem");
  assertEquals(calls, []);
});

Deno.test("refuseScenarioOptions() names an option that only a scenario has", { permissions: "none" }, () => {
  const none = { threshold: [], check: true } as unknown as RunCommandValues;
  refuseScenarioOptions(none);
  for (
    const [option, values] of [["--in-flight", { inFlight: 1 }], ["--no-check", { check: false }]] as const
  ) {
    assertThrows(
      () => refuseScenarioOptions({ ...none, ...values }),
      UsageError,
      `Option ${option} goes with a scenario`,
    );
  }
});

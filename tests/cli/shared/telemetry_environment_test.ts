import { assertEquals, assertThrows } from "@std/assert";
import {
  hasTelemetry,
  instanceEnvironment,
  samplingRatio,
} from "../../../cli/shared/telemetry_environment.ts";
import { UsageError } from "../../../cli/terminal/exit.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("hasTelemetry() decides as Deno does", pure, () => {
  const values = [undefined, "", "false", "0", "true", "1"];
  assertEquals(values.map((value) => hasTelemetry(() => value)), [false, false, false, false, true, true]);
});

Deno.test("samplingRatio() reads a number from 0 to 1, by default 0.01", pure, () => {
  assertEquals([undefined, "", "0", "1", "0.5"].map((text) => samplingRatio(() => text)), [
    0.01,
    0.01,
    0,
    1,
    0.5,
  ]);
  for (const text of ["-1", "2", "all", " ", "0x1", "-0"]) {
    assertThrows(
      () => samplingRatio(() => text),
      UsageError,
      `Cannot use OTEL_TRACES_SAMPLER_ARG "${text}": expected a number from 0 to 1`,
    );
  }
});

Deno.test("instanceEnvironment() gives a child process an id of its own when Deno exports", pure, () => {
  const environment = (values: Record<string, string>) => (name: string) => values[name];
  const given = (attributes?: string) =>
    instanceEnvironment(
      "x",
      environment({ OTEL_DENO: "true", ...(attributes && { OTEL_RESOURCE_ATTRIBUTES: attributes }) }),
    );
  assertEquals(instanceEnvironment("x", environment({ OTEL_RESOURCE_ATTRIBUTES: "a=1" })), {});
  assertEquals(given(), { OTEL_RESOURCE_ATTRIBUTES: "service.instance.id=x" });
  assertEquals(given("a=1,b=2"), { OTEL_RESOURCE_ATTRIBUTES: "a=1,b=2,service.instance.id=x" });
  assertEquals(given("a=1, service.instance.id=old"), {
    OTEL_RESOURCE_ATTRIBUTES: "a=1,service.instance.id=x",
  });
});

import { assertEquals, assertThrows } from "@std/assert";
import { hasTelemetry, samplingRatio } from "../../../cli/server/telemetry_environment.ts";
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

/** Export through OpenTelemetry. @module */
import type { Telemetry, TelemetryOptions } from "../../admin/telemetry/telemetry.ts";
import { hasTelemetry, samplingRatio } from "./telemetry_environment.ts";

/** Creates the export of a program; `undefined` if Deno does not export. Only then is anything loaded. */
export async function createTelemetry(
  build: Pick<TelemetryOptions, "name" | "version">,
): Promise<Telemetry | undefined> {
  if (!hasTelemetry()) return undefined;
  const { Telemetry } = await import("../../admin/telemetry/telemetry.ts");
  return new Telemetry({ ...build, ratio: samplingRatio(), seed: 0 });
}

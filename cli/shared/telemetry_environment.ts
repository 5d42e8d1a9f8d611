/** The environment variables of OpenTelemetry. @module */
import { processEnvironment } from "../args/environment.ts";
import { UsageError } from "../terminal/exit.ts";
import { quoted } from "../../internal/printable.ts";

/** Whether Deno exports through OpenTelemetry: it decides by the same variable. */
export function hasTelemetry(environment: typeof processEnvironment = processEnvironment): boolean {
  return ["true", "1"].includes(environment("OTEL_DENO") ?? "");
}

const RATIO = "OTEL_TRACES_SAMPLER_ARG";

/**
 * Returns the part of connections and messages that have spans: `OTEL_TRACES_SAMPLER_ARG`, by default 0.01.
 *
 * @throws {UsageError} If the variable is not a number from 0 to 1.
 */
export function samplingRatio(environment: typeof processEnvironment = processEnvironment): number {
  const text = environment(RATIO) ?? "";
  if (text === "") return 0.01;
  const ratio = /^\d*\.?\d+(e-?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw new UsageError(`Cannot use ${RATIO} ${quoted(text)}: expected a number from 0 to 1`);
}

const RESOURCE = "OTEL_RESOURCE_ATTRIBUTES";
const INSTANCE = "service.instance.id";

/**
 * Returns the variables for a child process that shares the work of this one: an id of its own, because otherwise all
 * processes would export to the same series. Returns none if Deno does not export.
 */
export function instanceEnvironment(
  id: string,
  environment: typeof processEnvironment = processEnvironment,
): Readonly<Record<string, string>> {
  if (!hasTelemetry(environment)) return {};
  const others = (environment(RESOURCE) ?? "").split(",").filter((attribute) =>
    attribute.trim() !== "" && attribute.split("=", 1)[0]!.trim() !== INSTANCE
  );
  return { [RESOURCE]: [...others, `${INSTANCE}=${id}`].join(",") };
}

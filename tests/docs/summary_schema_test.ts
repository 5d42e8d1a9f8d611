import { assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { goodRun } from "../_util/loadtest/run_events.ts";
import { fileSummary, summaryOf, wholeSummary } from "../_util/loadtest/run_summary.ts";
import { scenarioSummary } from "../_util/loadtest/scenario_summary.ts";

const SCHEMA = JSON.parse(
  Deno.readTextFileSync(new URL("../../docs/summary.schema.json", import.meta.url)),
) as Record<string, unknown>;

/** The schema, with every property that it does not list forbidden. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)]);
  const isObject = "properties" in schema && "type" in schema;
  return { ...Object.fromEntries(entries), ...(isObject ? { additionalProperties: false } : {}) };
}

/** Returns the errors of a summary as `--json` prints it. */
function errorsIn(summary: unknown): string[] {
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(closed(SCHEMA) as object);
  validate(JSON.parse(JSON.stringify(summary)));
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${JSON.stringify(params)}`
  );
}

Deno.test("docs/summary.schema.json describes every property of real summaries", async () => {
  const unknown = goodRun(4).filter(({ event }) => event !== "server");
  const summaries = [
    summaryOf(goodRun(400)),
    wholeSummary(),
    summaryOf(unknown),
    await scenarioSummary(),
    fileSummary(),
  ];
  for (const summary of summaries) assertEquals(errorsIn(summary), []);
});

Deno.test("docs/summary.schema.json rejects a summary with a property missing, unknown, or of the wrong type", () => {
  const summary = summaryOf(goodRun(4));
  const { acked: _, ...without } = summary;
  assertEquals(errorsIn(without).length, 1);
  assertEquals(errorsIn({ ...summary, more: 1 }).length, 1);
  assertEquals(errorsIn({ ...summary, verdict: "fine" }).length, 1);
  assertEquals(errorsIn({ ...summary, latency: { ...summary.latency, p99: "12ms" } }).length, 1);
});

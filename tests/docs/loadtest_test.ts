import { assertEquals } from "@std/assert";
import { runOptions } from "../../cli/loadtest/options.ts";
import { EXIT_CODES } from "../../loadtest/judge/verdict.ts";
import { scenarioSummary } from "../_util/loadtest/scenario_summary.ts";
import { fileSummary, wholeSummary } from "../_util/loadtest/run_summary.ts";

const PERCENTILE = /\.(p50|p90|p95|p99|p999|max)(\.\d)?$/;

const read = (file: string): string => Deno.readTextFileSync(new URL(`../../docs/${file}`, import.meta.url));

/** Returns the names in backticks in the first cells of a document's tables. */
function named(markdown: string): Set<string> {
  return new Set([...markdown.matchAll(/^\| *`([^`]+)`/gm)].map(([, name]) => name ?? ""));
}

/** Every path in `value`; those of percentiles, and of what the server counts by kind, go by the name of the whole. */
function pathsIn(value: unknown, path = ""): string[] {
  if (PERCENTILE.test(path)) return [];
  const own = path === "" ? [] : [path];
  const isMap = ["server.closed", "server.custom", "findingCounts"].includes(path);
  if (typeof value !== "object" || value === null || isMap) return own;
  if (Array.isArray(value)) return [...own, ...value.flatMap((one) => pathsIn(one, `${path}[]`).slice(1))];
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, one]) => pathsIn(one, path === "" ? key : `${path}.${key}`)),
  ];
}

Deno.test("docs/summary.md documents exactly the keys of a summary", async () => {
  const summary = wholeSummary();
  assertEquals(summary.findings.length > 0, true);
  const summaries = [summary, await scenarioSummary(), fileSummary()];
  const paths = summaries.flatMap((one) => pathsIn(JSON.parse(JSON.stringify(one))));
  assertEquals([...named(read("summary.md"))].sort(), [...new Set(paths)].sort());
});

Deno.test("docs/loadtest.md documents every option of a run, and every verdict with its exit code", () => {
  const document = read("loadtest.md");
  const options = [...named(document)].filter((name) => name.startsWith("--")).map((name) =>
    name.split(" ")[0]
  );
  const expected = Object.keys(runOptions).map((name) =>
    `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`
  );
  assertEquals([...new Set(options)].sort(), expected.sort());
  const codes = [...document.matchAll(/^\| *`(\w+)` *\| *(\d+) *\|/gm)].map((
    [, verdict, code],
  ) => [verdict, Number(code)]);
  assertEquals(Object.fromEntries(codes), EXIT_CODES);
});

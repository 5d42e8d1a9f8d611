/** What came of a torture as JUnit XML, in the same form as that of a run. Pure. @module */
import { element, escapeXml } from "../report/xml.ts";
import type { TortureResult } from "./torture.ts";

/** What {@linkcode renderTortureJunit} needs. */
export interface TortureJunitInput {
  readonly results: readonly TortureResult[];
  /** What is wrong besides, at the end of all cases. */
  readonly faults: readonly string[];
  /** When the torture began. */
  readonly startedAt: Date;
}

const SUITE = "okline torture";

/** The result as XML: a test case for each case of the suite, and one for what the server is left with. */
export function renderTortureJunit({ results, faults, startedAt }: TortureJunitInput): string {
  const cases = results.map(({ name, ms, saw, fault, unjudged }) => {
    const children = [];
    if (fault !== undefined) children.push(element("failure", { message: fault }));
    else if (unjudged !== undefined) children.push(element("skipped", { message: unjudged }));
    if (saw !== "") children.push(element("system-out", {}, [escapeXml(saw)]));
    return element("testcase", { classname: "okline.torture", name, time: seconds(ms) }, children);
  });
  const end = faults.length === 0 ? [] : [element("failure", { message: faults.join("; ") })];
  const totals = {
    tests: `${results.length + 1}`,
    failures: `${results.filter(({ fault }) => fault !== undefined).length + end.length}`,
    errors: "0",
    skipped: `${
      results.filter(({ fault, unjudged }) => fault === undefined && unjudged !== undefined).length
    }`,
    time: seconds(results.reduce((sum, { ms }) => sum + ms, 0)),
  };
  const suite = { name: SUITE, ...totals, timestamp: startedAt.toISOString() };
  const left = element("testcase", { classname: "okline.torture", name: "the end", time: "0.000" }, end);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    element("testsuites", { name: SUITE, ...totals }, [element("testsuite", suite, [...cases, left])])
  }\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

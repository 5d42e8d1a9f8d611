import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { alternateRuns, splitWords } from "../../../../cli/loadtest/compare/alternate_runs.ts";
import { ExitError, UsageError } from "../../../../cli/terminal/exit.ts";

Deno.test("splitWords() splits as a shell does", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ["  --clients   10 ", ["--clients", "10"]],
    ["run 'my echo.ts'", ["run", "my echo.ts"]],
    [`--threshold "p99<5ms" --payload=file:'my words'.txt`, [
      "--threshold",
      "p99<5ms",
      "--payload=file:my words.txt",
    ]],
    [`a\\ b "c \\"d\\"" ''`, ["a b", 'c "d"', ""]],
  ];
  for (const [text, words] of cases) assertEquals(splitWords(text), words);
  for (const text of ["'open", 'a "b', "end\\"]) assertThrows(() => splitWords(text), UsageError, "unclosed");
});

Deno.test("alternateRuns() runs both in turn with the same seeds, the second first in every other round", async () => {
  const small = "--clients 20 --window 100ms --max-lag 1h";
  const order: unknown[] = [];
  const [before, after] = await alternateRuns({
    runs: [small, `run ${small} --protocol echo`],
    rounds: 2,
    signal: new AbortController().signal,
    onRun: ({ name, round, summary }) => order.push([name, round, summary["verdict"], summary["seed"]]),
  });
  assertEquals(order, [["A", 1, "proven", 1], ["B", 1, "proven", 1], ["B", 2, "proven", 2], [
    "A",
    2,
    "proven",
    2,
  ]]);
  assertEquals([before.length, after.length], [2, 2]);
});

Deno.test("alternateRuns() says which run has no summary, and why", async () => {
  const options = { rounds: 1, signal: new AbortController().signal, onRun: () => {} };
  await assertRejects(
    () => alternateRuns({ ...options, runs: ["--clients 0", ""] }),
    ExitError,
    "run A has no summary, exit code 2: Cannot use --clients",
  );
  await assertRejects(
    () => alternateRuns({ ...options, runs: ["torture", ""] }),
    UsageError,
    'expected the command "run"',
  );
});

Deno.test("alternateRuns() ends the run in progress when it is interrupted", async () => {
  const interrupted = new AbortController();
  interrupted.abort();
  const options = { rounds: 1, signal: interrupted.signal, onRun: () => {} };
  await assertRejects(
    () => alternateRuns({ ...options, runs: ["--window 60s", ""] }),
    ExitError,
    "Interrupted",
  );
});

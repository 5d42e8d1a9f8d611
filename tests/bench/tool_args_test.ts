import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { pure } from "../_util/permissions.ts";
import { run } from "../_util/programs/program.ts";
import { readToolArgs, ToolUsageError } from "../_util/programs/tool_args.ts";

const ROOT = new URL("../../", import.meta.url);

/** Modules under `bench/` that other modules import, and nothing runs. */
const PARTS: ReadonlySet<string> = new Set([
  "bench/compare/comparison.ts",
  "bench/cost/relay_windows.ts",
  "bench/peers/peer.ts",
  "bench/suite/router_load.ts",
  "bench/trials/node_namespace.ts",
]);

const usage = {
  command: "deno task soak",
  options: { minutes: 5, only: "", json: false },
  words: { size: "1GiB", clients: 10 },
} as const;
const read = (...args: readonly string[]) => readToolArgs(usage, args);

Deno.test("readToolArgs() returns options, flags, and words, and their defaults", pure, () => {
  assertEquals(read(), { minutes: 5, only: "", json: false, size: "1GiB", clients: 10 });
  assertEquals(read("2MiB", "--only", "a, b", "--minutes=0.5", "--json", "7"), {
    minutes: 0.5,
    only: "a, b",
    json: true,
    size: "2MiB",
    clients: 7,
  });
  assertEquals(read("2MiB", "--help"), undefined);
});

Deno.test("readToolArgs() names an argument that it does not know, and what is accepted", pure, () => {
  const accepted = "deno task soak [--minutes 5] [--only TEXT] [--json] [SIZE=1GiB] [CLIENTS=10]";
  for (const args of [["--minuets", "1"], ["--minuets=1"], ["-m"], ["--toString"], ["1MiB", "1", "2"]]) {
    const error = assertThrows(() => read(...args), ToolUsageError, "Unknown argument");
    assertStringIncludes(error.message, JSON.stringify(args.at(args[0] === "--minuets" ? 0 : -1)));
    assertStringIncludes(error.message, accepted);
  }
  assertThrows(() => read("--minutes"), ToolUsageError, "Cannot use --minutes without a value");
  assertThrows(() => read("--minutes", "--json"), ToolUsageError, "Cannot use --minutes without a value");
  assertThrows(() => read("--minutes", "x"), ToolUsageError, 'Cannot use --minutes "x": expected a number');
  assertThrows(() => read("1MiB", "few"), ToolUsageError, 'Cannot use CLIENTS "few": expected a number');
  assertThrows(() => read("--minutes=-1"), ToolUsageError, "expected a number of at least 0");
  assertEquals(read("--minutes", "0")?.minutes, 0);
  assertThrows(() => read("--json=yes"), ToolUsageError, "Cannot use --json with a value");
});

/** The programs under `bench/`, and those of `tools/` that take options. */
function programs(): readonly string[] {
  const found = ["tools/fuzz.ts"];
  for (const folder of Deno.readDirSync(new URL("bench/", ROOT))) {
    if (!folder.isDirectory) continue;
    for (const { name } of Deno.readDirSync(new URL(`bench/${folder.name}/`, ROOT))) {
      const path = `bench/${folder.name}/${name}`;
      if (name.endsWith(".ts") && !name.endsWith(".bench.ts") && !PARTS.has(path)) found.push(path);
    }
  }
  return found.toSorted();
}

for (const path of programs()) {
  Deno.test(`${path} rejects an unknown argument, and prints its usage with --help`, async () => {
    const command = [Deno.execPath(), "run", "-A", "--no-check", new URL(path, ROOT).pathname] as const;
    const [typo, help] = await Promise.all([run([...command, "--unknown"]), run([...command, "--help"])]);
    assertEquals([typo.code, typo.out, typo.err.trimEnd().split("\n").length], [2, "", 1], typo.err);
    assertStringIncludes(typo.err, 'Unknown argument "--unknown": expected deno ');
    assertEquals([help.code, help.err], [0, ""]);
    assertStringIncludes(help.out, "Usage: deno ");
  });
}

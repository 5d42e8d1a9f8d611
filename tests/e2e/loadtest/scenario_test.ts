import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listen } from "../../../socket/mod.ts";
import { loadTest } from "../../_util/loadtest/loadtest_program.ts";
import { ServerProcess } from "../../_util/programs/program.ts";
import { refusalOf } from "../../_util/programs/refusal.ts";
import { TempDir } from "../../_util/temp_dir.ts";

let dir: TempDir;
/** One path for all scenarios whose types are checked: a file that was checked before is checked much faster again. */
let file: string;

Deno.test.beforeAll(() => {
  dir = new TempDir();
  file = `${dir.path}/scenario.ts`;
});

Deno.test.afterAll(() => dir[Symbol.asyncDispose]());

const HEAD = 'import { lineCodec, scenario } from "@okline/okline/loadtest";\nconst codec = lineCodec();\n';

/** A line echo, and the port it listens on. */
function startEcho(): { port: number } & AsyncDisposable {
  const server = listen({ port: 0, hostnames: ["127.0.0.1"] });
  server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  return { port: server.addresses[0]!.port, [Symbol.asyncDispose]: () => server.close() };
}

Deno.test("loadtest.ts run proves a scenario file and writes its report, and verify agrees", async () => {
  // A process of its own, because its sockets are counted.
  await using echo = await ServerProcess.start("echo");
  await Deno.writeTextFile(`${dir.path}/users.csv`, "name\nann\nbob\ncy\ndan\n");
  await Deno.writeTextFile(
    file,
    `${HEAD}export default scenario({
      codec,
      data: "users.csv",
      setup: () => ({ suffix: "!" }),
      async session(t) {
        await t.ask("LOGIN " + t.row.name, { expect: "LOGIN " + t.row.name });
        t.metric("name-length").record(t.row.name!.length);
      },
      async message(t) {
        const line = t.client + t.shared.suffix + t.random();
        await t.ask(line, { expect: line, name: "echo" });
      },
    });`,
  );
  const [history, report, junit] = [`${dir.path}/h.jsonl`, `${dir.path}/r.html`, `${dir.path}/j.xml`];
  const { code, out, summary } = await loadTest(
    ...[
      "run",
      file,
      "--no-check",
      "--target",
      `127.0.0.1:${echo.port}`,
      "--clients",
      "4",
      "--window",
      "100ms",
      "--seed",
      "1",
    ],
    ...[
      "--messages",
      "25",
      "--in-flight",
      "5",
      "--max-lag",
      "1h",
      "--pid",
      `${echo.pid}`,
      "--json",
      "--quiet",
    ],
    ...[
      "--history",
      history,
      "--report",
      report,
      "--junit",
      junit,
      "--threshold",
      "metric.name-length.max<=3",
    ],
  );
  assertEquals(code, 0, out);
  assertEquals([summary["verdict"], summary["acked"], summary["lost"]], ["proven", 104, 0]);
  const verified = await loadTest("verify", history, "--json");
  assertEquals([verified.code, verified.summary["verdict"]], [0, "proven"]);
  assertEquals(
    (await loadTest("verify", history)).out,
    "PROVEN: 104 of 104 requests answered as expected\n  The recorded verdict is the same\n",
  );
  const page = await Deno.readTextFile(report);
  for (const text of ["Steps", "LOGIN", "echo", "name-length", "Requests and replies per second"]) {
    assertStringIncludes(page, text);
  }
  assertStringIncludes(await Deno.readTextFile(junit), "every reply is the expected one");
});

Deno.test("loadtest.ts new writes a scenario that type-checks and runs, and does not overwrite it", async () => {
  await using echo = startEcho();
  const name = file.replace(".ts", "");
  if (dir.has("scenario.ts")) await Deno.remove(file);
  const written = await loadTest("new", name);
  assertEquals(written.code, 0);
  assertStringIncludes(written.out, `Run it: deno run -A loadtest.ts run ${name}.ts --target HOST:PORT`);
  const again = await loadTest("new", name);
  assertEquals(again.code, 2);
  assertStringIncludes(again.err, "exists already");
  const bare = await refusalOf("loadtest.ts", ["run", name, "--target", "127.0.0.1:9"]);
  assertEquals([bare.code, bare.err], [
    2,
    `error: Cannot run ${name}: no such file (did you mean ${name}.ts?)\n`,
  ]);
  const { code, summary, err } = await loadTest(
    ...["run", `${name}.ts`, "--target", `127.0.0.1:${echo.port}`, "--clients", "5", "--window", "50ms"],
    ...["--max-lag", "1h", "--json", "--quiet"],
  );
  assertEquals(code, 0, err);
  assertEquals(summary["verdict"], "delivered");
});

Deno.test("loadtest.ts run refuses a scenario that cannot run with one clear line", async () => {
  const checked = ["--target", "127.0.0.1:9"];
  // A check takes longer than all the rest.
  const target = [...checked, "--no-check"];
  const cases: readonly (readonly [source: string | undefined, args: readonly string[], error: RegExp])[] = [
    [
      undefined,
      target,
      /^error: Cannot run .*\/refused_0\.ts: no such file$/,
    ],
    ["export const a: number = 'x';", checked, /^error: Cannot run .*: TS2322: .* at scenario\.ts:1:14$/],
    ["export const a: number = 'x';", target, /got no default export, only a$/],
    [
      'import { scenario } from "@okline/okline/loadtest";\nexport default scenario({ session() {} });',
      checked,
      /^error: Cannot run .*: TS2345: Property 'codec' is missing in type .* at scenario\.ts:2:25$/,
    ],
    ["export default {", checked, /^error: Cannot run .*: SyntaxError: .* at scenario\.ts:1:17$/],
    ["export {};", target, /expected "export default scenario\({ … }\)", got no default export$/],
    ["export default { session() {} };", target, /got a default export of type object$/],
    [
      `${HEAD}export default scenario({ codec });`,
      target,
      /expected a function session\(t\) or message\(t\)/,
    ],
    [
      `${HEAD}export default scenario({ codec, session() {}, setup() { throw new Error("no database"); } });`,
      target,
      /^error: Cannot set up the scenario: setup\(\) threw Error: no database at refused_\d+\.ts:\d+:\d+$/,
    ],
    [
      `${HEAD}export default scenario({ codec, session() {}, data: "none.csv" });`,
      target,
      /Cannot use the data file none\.csv/,
    ],
    [`${HEAD}export default scenario({ codec, session() {} });`, [], /Option --target is missing/],
    [
      `${HEAD}export default scenario({ codec, session() {} });`,
      [...target, "--messages", "5"],
      /it has only session\(t\)/,
    ],
    [
      `${HEAD}export default scenario({ codec, session() {} });`,
      [...target, "--rate", "5/s"],
      /rate without a duration/,
    ],
    [
      `${HEAD}export default scenario({ codec, session() {} });`,
      [...target, "--protocol", "echo"],
      /--protocol goes with the built-in/,
    ],
  ];
  for (const [index, [source, args, error]] of cases.entries()) {
    // A module loads only once in this process, so each source has a path of its own.
    const path = args === checked ? file : `${dir.path}/refused_${index}.ts`;
    if (source !== undefined) await Deno.writeTextFile(path, source);
    const { code, err } = await refusalOf("loadtest.ts", ["run", path, "--quiet", ...args]);
    assertEquals(code, 2, err);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assertMatch(err.trimEnd(), error);
  }
});

Deno.test("loadtest.ts run reports a scenario that ends its process", async () => {
  await using echo = startEcho();
  const end = 'Deno.kill(Deno.pid, "SIGKILL")'; // `Deno.exit()` only throws.
  await Deno.writeTextFile(file, `${HEAD}export default scenario({ codec, session() { ${end}; } });`);
  const { code, summary } = await loadTest(
    ...[
      "run",
      file,
      "--no-check",
      "--target",
      `127.0.0.1:${echo.port}`,
      "--clients",
      "1",
      "--window",
      "0",
      "--json",
      "--quiet",
    ],
  );
  assertEquals(code, 1);
  const findings = summary["findings"] as readonly { kind: string; text: string }[];
  assert(
    findings.some(({ kind, text }) => kind === "died" && text.includes("signal SIGKILL")),
    JSON.stringify(findings),
  );
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../../socket/network.ts";
import { listen } from "../../../socket/listen.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { type Outcome, run } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const ROOT = new URL("../../../", import.meta.url);

/** A project that links okline, with the files of all tests. */
let project: TempDir;

Deno.test.beforeAll(async () => {
  project = new TempDir();
  const config = await blockOf("json");
  assertStringIncludes(config, "../okline");
  assertEquals(await blockOf("json", "docs/scenarios.md"), config);
  await project.write("deno.json", config.replace("../okline", ROOT.pathname));
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const imports = Object.keys(exports).map((name) => `import "@okline/okline${name.slice(1)}";\n`);
  await project.write("exports.ts", imports.join(""));
  await project.write("library.ts", await blockOf("ts"));
  await project.write("scenario.ts", await blockOf("ts", "docs/scenarios.md"));
});

Deno.test.afterAll(() => project[Symbol.asyncDispose]());

/** The first code block of a page in a language. */
async function blockOf(language: string, page = "README.md"): Promise<string> {
  const readme = await Deno.readTextFile(new URL(page, ROOT));
  const [, block] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(readme) ?? [];
  return block ?? "";
}

/** Deno with arguments, in the project. */
async function deno(...args: readonly string[]): Promise<Outcome> {
  return await run([Deno.execPath(), ...args], { cwd: project.path });
}

Deno.test("package exports, and the projects of README.md and docs/scenarios.md, pass the type check", async () => {
  // All in one check, because most of its time goes to the modules of okline.
  const { code, err } = await deno("check", "--quiet", "exports.ts", "library.ts", "scenario.ts");
  assertEquals([code, err], [0, ""]);
});

Deno.test("README.md shows a library project that runs", async () => {
  const { code, out, err } = await deno("run", "-A", "--no-check", "--quiet", "library.ts");
  assertEquals([code, out, err], [0, "hello\nnatural\n", ""]);
});

Deno.test("docs/scenarios.md shows a project whose scenario runs by the name of the load tester", async () => {
  await using echo = listen({ port: 0, hostnames: ["127.0.0.1"] });
  echo.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const target = formatAddress(echo.addresses[0]!);
  const args = ["--target", target, "--clients", "5", "--window", "100ms", "--quiet", ...ANY_LAG];
  const { code, out, err } = await deno(
    "run",
    "-A",
    "@okline/okline/loadtest",
    "run",
    "scenario.ts",
    ...args,
  );
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "DELIVERED: All 5 requests were answered as expected");
});

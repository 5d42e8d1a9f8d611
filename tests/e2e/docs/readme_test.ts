import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../../socket/network.ts";
import { listen } from "../../../socket/listener.ts";
import { ANY_LAG } from "../../_util/loadtest/any_lag.ts";
import { run } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const ROOT = new URL("../../../", import.meta.url);

/** One project for all tests: checking the types of a file costs a quarter if Deno has checked it before. */
let project: TempDir;

Deno.test.beforeAll(() => {
  project = new TempDir();
});

Deno.test.afterAll(() => project[Symbol.asyncDispose]());

/** The first code block of a page in a language. */
async function blockOf(language: string, page = "README.md"): Promise<string> {
  const readme = await Deno.readTextFile(new URL(page, ROOT));
  const [, block] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(readme) ?? [];
  return block ?? "";
}

Deno.test("package exports pass the type check in a project that links okline", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  await project.write("deno.json", (await blockOf("json")).replace("../okline", ROOT.pathname));
  const imports = Object.keys(exports).map((name) => `import "@okline/okline${name.slice(1)}";\n`);
  await project.write("main.ts", imports.join(""));
  const { code, err } = await run([Deno.execPath(), "check", "--quiet", "main.ts"], { cwd: project.path });
  assertEquals([code, err], [0, ""]);
});

Deno.test("README.md shows a library project that type-checks and runs", async () => {
  const config = await blockOf("json");
  assertStringIncludes(config, "../okline");
  await project.write("deno.json", config.replace("../okline", ROOT.pathname));
  await project.write("main.ts", await blockOf("ts"));
  const input = { cwd: project.path };
  const { code, out, err } = await run(
    [Deno.execPath(), "run", "-A", "--check", "--quiet", "main.ts"],
    input,
  );
  assertEquals([code, out, err], [0, "hello\nnatural\n", ""]);
});

Deno.test("docs/scenarios.md shows a project whose scenario type-checks and runs by the name of the load tester", async () => {
  await using echo = listen({ port: 0, hostnames: ["127.0.0.1"] });
  echo.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const config = await blockOf("json", "docs/scenarios.md");
  assertStringIncludes(config, "../okline");
  await project.write("deno.json", config.replace("../okline", ROOT.pathname));
  await project.write("main.ts", await blockOf("ts", "docs/scenarios.md"));
  const input = { cwd: project.path };
  const check = await run([Deno.execPath(), "check", "--quiet", "main.ts"], input);
  assertEquals([check.code, check.err], [0, ""]);
  const target = formatAddress(echo.addresses[0]!);
  const args = ["--target", target, "--clients", "5", "--window", "100ms", "--quiet", ...ANY_LAG];
  const { code, out, err } = await run(
    [Deno.execPath(), "run", "-A", "@okline/okline/loadtest", "run", "main.ts", ...args],
    input,
  );
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "DELIVERED: All 5 requests were answered as expected");
});

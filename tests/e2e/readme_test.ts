import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../_util/programs/program.ts";
import { TempDir } from "../_util/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url);

/** The first code block of README.md in a language. */
async function blockOf(language: string): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, block] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(readme) ?? [];
  return block ?? "";
}

Deno.test("package exports pass the type check in a project that links okline", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  await using project = new TempDir();
  await project.write("deno.json", (await blockOf("json")).replace("../okline", ROOT.pathname));
  const imports = Object.keys(exports).map((name) => `import "@okline/okline${name.slice(1)}";\n`);
  await project.write("main.ts", imports.join(""));
  const { code, err } = await run([Deno.execPath(), "check", "--quiet", "main.ts"], { cwd: project.path });
  assertEquals([code, err], [0, ""]);
});

Deno.test("README.md shows a library project that type-checks and runs", async () => {
  await using project = new TempDir();
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

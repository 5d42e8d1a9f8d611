import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../helpers/program.ts";
import { TempDir } from "../helpers/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url);

/** The first code block of README.md in a language. */
async function blockOf(language: string): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, block] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(readme) ?? [];
  return block ?? "";
}

Deno.test("README.md has a library project that checks and runs, with the deno.json that it shows", async () => {
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

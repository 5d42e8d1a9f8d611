import { assert, assertEquals } from "@std/assert";

const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));

/** Returns the test titles that a page names, each in a line `Test: \`title\`` of a list item. */
function titlesIn(markdown: string): string[] {
  return [...markdown.replaceAll(/\n +/g, " ").matchAll(/ Test: `([^`]+)`/g)].map(([, title]) => title!);
}

Deno.test("docs/reliability.md names tests that exist", async () => {
  const sources: string[] = [];
  const collect = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await collect(new URL(`${name}/`, folder));
      else if (name.endsWith("_test.ts")) sources.push(await Deno.readTextFile(new URL(name, folder)));
    }
  };
  await collect(new URL("../", import.meta.url));
  // There were 130 when this was written. Far fewer means that the walk misses folders.
  assert(sources.length > 100, `found only ${sources.length} test files`);
  const properties = await read("../_util/fuzz/fuzz.ts");
  const tests = sources.join("\n");
  const titles = titlesIn(await read("../../docs/reliability.md"));
  assert(titles.length > 80, `found only ${titles.length} titles`);
  const missing = titles.filter((name) => {
    const property = /^Fuzzing: (.*)$/.exec(name)?.[1];
    return property === undefined ? !tests.includes(`"${name}"`) : !properties.includes(`"${property}"`);
  });
  assertEquals(missing, []);
});

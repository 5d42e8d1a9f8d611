import { assert, assertEquals } from "@std/assert";

const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));

/** The cells of the rows of the tables whose last column is a test. */
function rowsOf(markdown: string): string[][] {
  const rows: string[][] = [];
  let named = false;
  for (const line of markdown.split("\n")) {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (cells.length === 0) named = false;
    else if (cells.at(-1) === "the test that shows it") named = true;
    else if (named && !/^-+$/.test(cells[0]!)) rows.push(cells);
  }
  return rows;
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
  const rows = rowsOf(await read("../../docs/reliability.md"));
  assert(rows.length > 30);
  const missing = rows.map((row) => row.at(-1)!).filter((name) => {
    const property = /^Fuzzing: (.*)$/.exec(name)?.[1];
    return property === undefined ? !tests.includes(`"${name}"`) : !properties.includes(`"${property}"`);
  });
  assertEquals(missing, []);
});

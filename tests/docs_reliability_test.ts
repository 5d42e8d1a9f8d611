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
  for (const folder of ["./", "programs/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, import.meta.url))) {
      if (name.endsWith("_test.ts")) sources.push(await read(folder + name));
    }
  }
  const properties = await read("helpers/fuzz.ts");
  const tests = sources.join("\n");
  const rows = rowsOf(await read("../docs/reliability.md"));
  assert(rows.length > 30);
  const missing = rows.map((row) => row.at(-1)!).filter((name) => {
    const property = /^Fuzzing: (.*)$/.exec(name)?.[1];
    return property === undefined ? !tests.includes(`"${name}"`) : !properties.includes(`"${property}"`);
  });
  assertEquals(missing, []);
});

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** A command of a program that lacks the part in front of it. */
const BARE = /^\s*(?:\$ )?(?:\w+=\S+ )*(?:server|client|loadtest)\.ts(?: |$)/;

/** Returns the lines of the code blocks of a document. */
function codeLines(markdown: string): string[] {
  return markdown.split(/^ *```.*$/m).filter((_, index) => index % 2 === 1).flatMap((code) =>
    code.split("\n")
  );
}

Deno.test("The documents show only commands that can be copied line by line", async () => {
  const docs = [...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`);
  let commands = 0;
  for (const name of ["README.md", "CONTRIBUTING.md", ...docs].filter((name) => name.endsWith(".md"))) {
    const lines = codeLines(await Deno.readTextFile(new URL(name, ROOT)));
    commands += lines.filter((line) => /deno run .*(?:server|client|loadtest)\.ts/.test(line)).length;
    assertEquals(lines.filter((line) => BARE.test(line)), [], name);
  }
  assert(commands > 20);
});

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { assertWritable, writeWhole } from "../../../cli/shared/output_file.ts";
import { ExitError, UsageError } from "../../../cli/terminal/exit.ts";
import { TempDir } from "../../_util/temp_dir.ts";

function namesIn(folder: TempDir): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
}

Deno.test("assertWritable() changes no file and creates none", async () => {
  await using folder = new TempDir();
  await folder.write("old.html", "old");
  assertWritable({ "--report": `${folder.path}/old.html`, "--junit": `${folder.path}/new.xml` });
  assertEquals(await Deno.readTextFile(`${folder.path}/old.html`), "old");
  assertEquals(namesIn(folder), ["old.html"]);
});

Deno.test("assertWritable() rejects one file for two options, however it is written", async () => {
  await using folder = new TempDir();
  await folder.write("a", "old");
  await Deno.symlink(`${folder.path}/a`, `${folder.path}/link`);
  for (
    const [one, other] of [["a", "a"], ["a", "./a"], ["new", "./new"], ["a", "link"]] as const
  ) {
    const files = { "--history": `${folder.path}/${one}`, "--report": `${folder.path}/${other}` };
    assertThrows(
      () => assertWritable(files),
      UsageError,
      "for --history and --report: expected two different",
    );
  }
});

Deno.test("assertWritable() accepts a device for several options", () => {
  assertWritable({ "--history": "/dev/null", "--report": "/dev/null" });
});

Deno.test("assertWritable() rejects a directory and a missing directory", async () => {
  await using folder = new TempDir();
  assertThrows(() => assertWritable({ "--report": folder.path }), ExitError, "it is a directory");
  const missing = `${folder.path}/missing/report.html`;
  assertThrows(() => assertWritable({ "--report": missing }), ExitError, "no such file or directory");
});

Deno.test("writeWhole() replaces the target of a symbolic link, and leaves no draft", async () => {
  await using folder = new TempDir();
  await folder.write("a", "a long old text");
  await Deno.symlink(`${folder.path}/a`, `${folder.path}/link`);
  await writeWhole(`${folder.path}/link`, "new");
  assertEquals(await Deno.readTextFile(`${folder.path}/a`), "new");
  assertEquals((await Deno.lstat(`${folder.path}/link`)).isSymlink, true);
  assertEquals(namesIn(folder), ["a", "link"]);
});

Deno.test("writeWhole() keeps the old file if the new text cannot be written", async () => {
  await using folder = new TempDir();
  await folder.write("a", "old");
  const write = Deno.writeTextFile;
  Deno.writeTextFile = async (path, _text, options) => {
    await write(path, "half", options);
    throw new Error("No space left on device (os error 28)");
  };
  try {
    await assertRejects(() => writeWhole(`${folder.path}/a`, "new"), ExitError, "No space left on device");
  } finally {
    Deno.writeTextFile = write;
  }
  assertEquals([await Deno.readTextFile(`${folder.path}/a`), namesIn(folder)], ["old", ["a"]]);
});

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { WholeFile, writeWholeFile } from "../../internal/whole_file.ts";
import { TempDir } from "../_util/temp_dir.ts";

const names = (folder: string): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("WholeFile keeps an earlier file as it is until commit()", async () => {
  await using folder = new TempDir();
  const path = `${folder.path}/result`;
  Deno.writeTextFileSync(path, "old", { mode: 0o640 });
  {
    using file = new WholeFile(path);
    Deno.writeTextFileSync(file.workPath, "half");
    assertEquals(Deno.readTextFileSync(path), "old");
  }
  assertEquals([names(folder.path), Deno.readTextFileSync(path)], [["result"], "old"]);
  using file = new WholeFile(path);
  Deno.writeTextFileSync(file.workPath, "new");
  file.commit();
  assertEquals([names(folder.path), Deno.readTextFileSync(path)], [["result"], "new"]);
  if (Deno.build.os !== "windows") assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
});

Deno.test("WholeFile replaces the target of a symbolic link, and keeps the link", async () => {
  await using folder = new TempDir();
  const [path, link] = [`${folder.path}/result`, `${folder.path}/link`];
  Deno.writeTextFileSync(path, "old");
  Deno.symlinkSync(path, link);
  using file = new WholeFile(link);
  Deno.writeTextFileSync(file.workPath, "new");
  file.commit();
  assertEquals([Deno.readTextFileSync(path), Deno.lstatSync(link).isSymlink], ["new", true]);
});

Deno.test("WholeFile writes a device in place", { ignore: Deno.build.os === "windows" }, async () => {
  await writeWholeFile("/dev/null", "text");
  assertEquals(Deno.statSync("/dev/null").isCharDevice, true);
});

Deno.test("WholeFile throws, and leaves nothing, when the file cannot be created", async () => {
  await using folder = new TempDir();
  assertThrows(() => new WholeFile(`${folder.path}/missing/result`), Deno.errors.NotFound);
  assertThrows(() => new WholeFile(folder.path), Deno.errors.IsADirectory);
  await assertRejects(() => writeWholeFile(`${folder.path}/missing/result`, ""), Deno.errors.NotFound);
  assertEquals(names(folder.path), []);
});

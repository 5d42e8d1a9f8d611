import { assertEquals, assertRejects } from "@std/assert";
import { readTextFile } from "../../../cli/shared/text_file.ts";
import { ExitError } from "../../../cli/terminal/exit.ts";
import { TempDir } from "../../_util/temp_dir.ts";

Deno.test("readTextFile() drops a byte order mark at the start only", async () => {
  await using folder = new TempDir();
  await folder.write("a.txt", "\uFEFFa\uFEFF\n");
  assertEquals(await readTextFile(`${folder.path}/a.txt`), "a\uFEFF\n");
});

Deno.test("readTextFile() names the file that it cannot read", async () => {
  await assertRejects(() => readTextFile("/no/such"), ExitError, 'Cannot read "/no/such": no such file');
});

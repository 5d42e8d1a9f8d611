import { assertEquals } from "@std/assert";
import { run } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

const MODULE = new URL("../../../loadtest/scenario/divert_output.ts", import.meta.url).href;

Deno.test("divertOutput() sends to stderr whatever is printed, until it is disposed of", async () => {
  await using folder = new TempDir();
  const file = `${folder.path}/main.ts`;
  await Deno.writeTextFile(
    file,
    `import process from "node:process";
    import { divertOutput } from ${JSON.stringify(MODULE)};
    const bytes = new TextEncoder().encode("x");
    {
      using _ = divertOutput();
      console.log("1");
      console.table([]);
      process.stdout.write("2");
      Deno.stdout.writeSync(bytes);
      await Deno.stdout.write(bytes);
      await Deno.stdout.writable.getWriter().write(bytes);
    }
    console.log("console");
    Deno.stdout.writeSync(bytes);
    process.stdout.write(" process");`,
  );
  const { out, err } = await run([Deno.execPath(), "run", "-A", "--quiet", file]);
  assertEquals(out.split("\n"), ["console", "x process"]);
  assertEquals([err.startsWith("1\n"), err.endsWith("2xxx")], [true, true], err);
});

import { assert, assertEquals } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { formatTable } from "../../../cli/terminal/table.ts";

Deno.test("formatTable() aligns numbers right, and counts wide characters as two", () => {
  assertEquals(
    formatTable({ head: ["名", "n"], rows: [["世界", 5], ["ab", 12345]] }),
    [
      "┌──────┬───────┐",
      "│ 名   │     n │",
      "├──────┼───────┤",
      "│ 世界 │     5 │",
      "│ ab   │ 12345 │",
      "└──────┴───────┘",
    ]
      .join("\n"),
  );
});

Deno.test("formatTable() has no colors unless asked for, and the same layout with them", async () => {
  const [head, rows] = [["what", "count"], [["acked", 1]]];
  const plain = formatTable({ head, rows });
  assertEquals(stripAnsiCode(plain), plain);
  assertEquals(stripAnsiCode(formatTable({ head, rows, color: true })), plain);
  // In a separate process, because NO_COLOR may be set for this one.
  const table = JSON.stringify(new URL("../../../cli/terminal/table.ts", import.meta.url));
  const code = `const { formatTable } = await import(${table});
    console.log(formatTable(${JSON.stringify({ head, rows, color: true })}));`;
  for (const [noColor, painted] of [["", true], ["1", false]] as const) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      env: { NO_COLOR: noColor },
      stderr: "inherit",
    }).output();
    assert(success);
    assertEquals(new TextDecoder().decode(stdout).includes("\x1b[1mwhat"), painted, `NO_COLOR=${noColor}`);
  }
});

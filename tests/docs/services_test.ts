import { assert, assertEquals } from "@std/assert";
import { parseCommandLine } from "../../cli/args/parse.ts";
import type { Commands } from "../../cli/args/program.ts";
import { clients } from "../../cli/client/commands/mod.ts";
import { services } from "../../cli/server/services/mod.ts";

const page = new URL("../../docs/services.md", import.meta.url);
const text = await Deno.readTextFile(page);

Deno.test("docs/services.md has every service in its table, with its own port, and a section each", () => {
  const rows = Array.from(
    text.matchAll(/^\| \[(\w+)\]\(#\1\) *\| `server\.ts[^`]*` *\| (\d+) *\|/gm),
    ([, name, port]) => [name, Number(port)],
  );
  assertEquals(
    rows,
    Object.entries(services).map(([name, { options }]) => [name, options.port.settings.default]),
  );
  for (const [name] of rows) assert(text.includes(`\n## ${name}\n`), `A section ${name}`);
});

Deno.test("docs/services.md shows only commands that parse", () => {
  const programs: Readonly<Record<string, Commands>> = { server: services, client: clients };
  const shown = Array.from(text.matchAll(/^\$ deno run -A (server|client)\.ts ?(.*)$/gm));
  assert(shown.length > 10);
  for (const [line, name = "", args = ""] of shown) {
    // The one that is shown for its error.
    if (args === "echo --delay 3s") continue;
    const words = args === "" ? [] : args.split(" ");
    const told = parseCommandLine({
      name,
      summary: "",
      version: "",
      commandNoun: "service",
      commands: programs[name]!,
      defaultCommand: "relay",
    }, { args: words, environment: () => undefined });
    assert("command" in told, line);
  }
});

Deno.test("docs/services.md links only to files that exist", async () => {
  for (const [, target = ""] of text.matchAll(/\]\((\.\.\/[^)#]+)\)/g)) {
    if (target === "../../README.md") continue;
    await Deno.stat(new URL(target, page));
  }
});

/**
 * Runs the benchmarks that need no other programs: `deno task bench`. With `--json` it prints one JSON line per result, times in ns.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { writeLine } from "../../cli/terminal/write.ts";

const HERE = new URL(".", import.meta.url).pathname;
const { json } = toolArgs({ command: "deno task bench", options: { json: false } });
const flags = json ? ["--json"] : [];

/** Runs `deno` and shows its output. */
async function show(args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn()
    .status;
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
}

/** Runs benchmarks and prints one line for each. */
async function printJson(args: readonly string[]): Promise<void> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  const { benches }: Report = JSON.parse(new TextDecoder().decode(stdout));
  for (const { name, results } of benches) {
    writeLine(Deno.stdout, JSON.stringify({ bench: name, ...results[0]?.ok }));
  }
}

interface Report {
  readonly benches: readonly {
    readonly name: string;
    readonly results: readonly { readonly ok?: object }[];
  }[];
}

const files = [...Deno.readDirSync(HERE)].map(({ name }) => name).filter((name) =>
  name.endsWith(".bench.ts")
);
const bench = ["bench", "-A", "--quiet", ...flags, ...files.sort().map((name) => HERE + name)];
await (json ? printJson(bench) : show(bench));
await show(["run", "-A", `${HERE}idle_memory.ts`, ...flags]);

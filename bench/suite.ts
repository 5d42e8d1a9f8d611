/**
 * Everything that needs no program of others: `deno task bench`. With `--json` it says a line of JSON a figure, times in ns.
 *
 * @module
 */
import { writeLine } from "../cli/terminal/log.ts";

const HERE = new URL(".", import.meta.url).pathname;
const json = Deno.args.includes("--json");
const flags = json ? ["--json"] : [];

/** Runs `deno` with its output shown. */
async function show(args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn()
    .status;
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
}

/** Runs benches and says what they say, a line a bench. */
async function tell(args: readonly string[]): Promise<void> {
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
await (json ? tell(bench) : show(bench));
await show(["run", "-A", `${HERE}idle_memory.ts`, ...flags]);

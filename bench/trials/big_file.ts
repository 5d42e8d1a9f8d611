/**
 * Uploads a large file, downloads it through a proxy, and prints the memory that each process took:
 * `deno task big-file`. Exits 1 if the file changed on its way, or if memory grew with its size.
 *
 * @module
 */
import { toolArgs } from "../../tests/_util/programs/tool_args.ts";
import { formatSize, parseSize } from "../../internal/size.ts";
import { writeLine } from "../../cli/terminal/write.ts";
import { formatTable } from "../../cli/terminal/table.ts";
import { peakMemory } from "../../loadtest/process/process_usage.ts";
import { denoRun, run, ServerProcess } from "../../tests/_util/programs/program.ts";
import { TempDir } from "../../tests/_util/temp_dir.ts";

const MIB = 2 ** 20;
/** Larger than every buffer on the way, so a larger file must not need more memory. */
const SMALL = 64 * MIB;
const LARGE = parseSize(toolArgs({ command: "deno task big-file", words: { size: "1GiB" } }).size);
/** Additional memory that the larger file may take, in bytes: garbage that is not collected yet. */
const SLACK = 48 * MIB;

async function writeRandom(path: string, size: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const block = new Uint8Array(MIB);
  for (let left = size; left > 0; left -= block.length) {
    for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
    await file.write(block.subarray(0, Math.min(left, block.length)));
  }
}

async function sha256sum(path: string): Promise<string> {
  return (await run(["sha256sum", path])).out.slice(0, 64);
}

/** Runs `client.ts` to its end, and returns its peak memory in bytes. */
async function client(args: readonly string[]): Promise<number> {
  const [program, ...rest] = denoRun("client.ts", [...args, "--quiet"]);
  const child = new Deno.Command(program, { args: rest, stdout: "null", stderr: "inherit" }).spawn();
  let peak = 0;
  const look = setInterval(() => peak = Math.max(peak, peakMemory(child.pid) ?? 0), 50);
  const { success } = await child.status;
  clearInterval(look);
  if (!success) throw new Error(`client.ts ${args[0]} failed`);
  return peak;
}

/** Moves a file of `size` bytes both ways, and returns the peak memory of each process in bytes. */
async function move(size: number): Promise<Record<string, number>> {
  await using here = new TempDir();
  await using there = new TempDir();
  await writeRandom(`${here.path}/big`, size);
  await using files = await ServerProcess.start("files", "--root", there.path, "--writable");
  await using proxy = await ServerProcess.start("proxy", "--to", `127.0.0.1:${files.port}`);
  const upload = await client(["upload", `${here.path}/big`, "--port", `${files.port}`]);
  await Deno.rename(`${here.path}/big`, `${here.path}/original`);
  const output = `${here.path}/big`;
  const download = await client(["download", "big", "--output", output, "--port", `${proxy.port}`]);
  const sums = await Promise.all(
    [`${here.path}/original`, `${there.path}/big`, output].map((path) => sha256sum(path)),
  );
  if (new Set(sums).size > 1) throw new Error(`The file changed on its way: ${sums.join(", ")}`);
  return {
    "client.ts upload": upload,
    "client.ts download": download,
    "server.ts files": peakMemory(files.pid) ?? 0,
    "server.ts proxy": peakMemory(proxy.pid) ?? 0,
  };
}

const small = await move(SMALL);
const large = await move(LARGE);
const rows = Object.entries(large).map(([name, peak]) => {
  const before = small[name] ?? 0;
  return [name, ...[before, peak, peak - before].map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`)];
});
writeLine(
  Deno.stdout,
  formatTable({ head: ["process", formatSize(SMALL), formatSize(LARGE), "more"], rows }),
);
const flat = Object.entries(large).every(([name, peak]) => peak - (small[name] ?? 0) < SLACK);
writeLine(
  Deno.stdout,
  flat ? "The same bytes everywhere, and memory stayed flat" : "Memory grew with the file",
);
Deno.exit(flat ? 0 : 1);
